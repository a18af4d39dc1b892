package neo4j_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/neo4j"
	"github.com/keci-kg/keci/graph/neo4j/neo4jtest"
	"github.com/keci-kg/keci/graph/storetest"
)

// nasty is a document with what could break out of a string or a statement.
func nasty() graph.Document {
	text := "a' OR 1=1; MATCH (n) DETACH DELETE n; // \\u0027 \"β\"\n;\r\n\\' /* 😀 `x`"
	weight, sentinel := 0.5, 0.25
	at := time.Date(2026, 1, 2, 3, 4, 5, 600_000_000, time.UTC)
	return graph.Document{ID: `it's "1"\`, Title: "title';", Text: text, Offsets: graph.OffsetCodepoint, Submitted: &at,
		Model: &graph.Provenance{Name: "m'", Digest: "sha256:1"}, KB: &graph.Provenance{Name: "small", Digest: "sha256:51a11"},
		Mentions: []graph.Mention{
			{ID: "T1", Start: 0, End: 2, Text: "a'", Type: "o'clock", Score: 1, Final: true, Sentinel: &sentinel, Initial: &graph.Judgement{Type: "x", Score: 0.5},
				Concepts: []graph.Candidate{{CUI: "C0085149", Name: "Tacrolimus", SemanticTypes: []graph.TUI{"T121"}, Weight: &weight, Score: 1000, Matched: "a'", Centrality: 1,
					Confidence: 0.75, Variant: "spelling'", Path: []graph.VariantStep{{Text: "a'", Name: "\"\\;\n", Kind: "spelling", Distance: 0.5}},
					Codes: []graph.Code{{Source: "TEST", Code: "it's:1"}}, Synonyms: []string{"o'"}}}},
			{ID: "T2", Start: 3, End: 5, Text: "OR", Negated: true, LongForm: "T1",
				Concepts: []graph.Candidate{{CUI: "C7'; RETURN 1", Name: "it's new", SemanticTypes: []graph.TUI{}, Score: 1}}},
		},
		Relations: []graph.Extraction{
			{ID: "R1", Head: "T1", Tail: "T2", Label: "binds `to`", Score: 0.5, Initial: graph.Judgement{Score: 1e-7}},
			{ID: "R2", Head: "T2", Tail: "T1", Label: "bind", Directed: true, Score: 0.75}},
	}
}

func cypherOf(t *testing.T, documents ...graph.Document) string {
	t.Helper()
	var out bytes.Buffer
	w := neo4j.NewCypherWriter(&out)
	for _, d := range documents {
		if err := w.Write(d); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestCypherGolden(t *testing.T) {
	path := filepath.Join("testdata", "documents.cypher")
	got := cypherOf(t, nasty(), graph.Document{ID: "empty", Text: "Nothing."})
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(path, []byte(got), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("want - got +:\n%s", diff)
	}
}

// The statements leave what SaveDocument leaves, also over an older document.
func TestCypherIsWhatSaveDocumentWrites(t *testing.T) {
	server := neo4jtest.Use(t)
	store := loaded(t, server, storetest.Small())
	const content = `MATCH (n) WHERE NOT n:Release
		OPTIONAL MATCH (n)-[r]->(o)
		WITH labels(n) AS labels, properties(n) AS node, type(r) AS type, properties(r) AS edge, properties(o) AS other
		RETURN labels, node, type, edge, other
		ORDER BY labels, node.cui, node.tui, node.id, type, edge.label, edge.rank, other.cui, other.id, other.tui`
	if _, err := store.SaveDocument(t.Context(), nasty(), false); err != nil {
		t.Fatal(err)
	}
	want := server.Run(t, content, nil)
	old := nasty()
	old.Mentions[1].Concepts[0].CUI = "C8" // nobody else names it
	old.Relations = append(old.Relations, graph.Extraction{ID: "R3", Head: "T2", Tail: "T1", Label: "old", Score: 0.5})
	if _, err := store.SaveDocument(t.Context(), old, true); err != nil {
		t.Fatal(err)
	}
	for statement := range strings.SplitSeq(strings.TrimSuffix(cypherOf(t, nasty()), ";\n"), ";\n") {
		server.Run(t, statement, nil)
	}
	got := server.Run(t, content, nil)
	if len(got) != len(want) {
		t.Fatalf("%d rows, want %d", len(got), len(want))
	}
	for i := range want {
		if diff := cmp.Diff(want[i].AsMap(), got[i].AsMap()); diff != "" {
			t.Errorf("row %d, want - got +:\n%s", i, diff)
		}
	}
	read, err := store.Document(t.Context(), nasty().ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(nasty(), read); diff != "" {
		t.Errorf("the document, want - got +:\n%s", diff)
	}
}
