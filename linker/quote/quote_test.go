package quote

import (
	"testing"
	"time"
	"unsafe"

	"github.com/keci-kg/keci/graph"
)

func TestAll(t *testing.T) {
	at := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	doc := graph.Document{ID: "d", Title: "t", Submitted: &at, Text: "Nothing hé. α binds Bcl-2. It rains.", Mentions: []graph.Mention{
		{ID: "T1", Start: 12, End: 13, Text: "α"}, {ID: "T2", Start: 20, End: 25, Text: "Bcl-2"}},
		Relations: []graph.Extraction{{ID: "R1", Head: "T2", Tail: "T1", Label: "bind"}}}
	e, err := graph.EvidenceAt(doc, 0)
	if err != nil {
		t.Fatal(err)
	}
	quoted, err := All([]graph.Evidence{e})
	if err != nil || len(quoted) != 1 {
		t.Fatalf("quoted %+v, %v", quoted, err)
	}
	q := quoted[0]
	if q.Sentence != "α binds Bcl-2." || q.Start != 12 || q.End != 26 || q.DocumentID != "d" || q.Title != "t" || q.Submitted != &at ||
		q.Head.ID != "T2" || q.Tail.ID != "T1" || q.Relation.Label != "bind" {
		t.Errorf("quoted %+v", q)
	}
	text := uintptr(unsafe.Pointer(unsafe.StringData(doc.Text)))
	if at := uintptr(unsafe.Pointer(unsafe.StringData(q.Sentence))); at >= text && at < text+uintptr(len(doc.Text)) {
		t.Error("the sentence keeps the whole text in memory")
	}
	e.Head.End = 99
	if quoted, err := All([]graph.Evidence{e}); err == nil {
		t.Errorf("a mention that ends behind the text: quoted %+v", quoted)
	}
}
