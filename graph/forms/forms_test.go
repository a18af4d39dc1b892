package forms_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/format"
	"github.com/keci-kg/keci/graph/forms"
)

var example = graph.Document{ID: "a", Text: "β TCF4", Offsets: graph.OffsetByte,
	Mentions: []graph.Mention{{ID: "T1", Start: 3, End: 7, Text: "TCF4", Type: "gene"}}, Relations: []graph.Extraction{}}

func TestEveryFormIsFoundAndWrites(t *testing.T) {
	media := map[string]bool{}
	for _, form := range forms.All() {
		byName, err := forms.ByName(string(form.Kind))
		if err != nil || byName.Media != form.Media {
			t.Errorf("%s: by name %+v, %v", form.Kind, byName, err)
		}
		if byMedia, ok := forms.ByMediaType(form.Media); !ok || byMedia.Kind != form.Kind {
			t.Errorf("%s: by media type %+v", form.Kind, byMedia)
		}
		if media[form.Media] || form.Extension == "" || form.Title == "" {
			t.Errorf("%s: shares its media type, or lacks extension or title", form.Kind)
		}
		media[form.Media] = true
		var out bytes.Buffer
		w, err := form.NewWriter(&out)
		if err != nil {
			t.Fatalf("%s: %v", form.Kind, err)
		}
		if err := w.Write(example); err != nil {
			t.Errorf("%s: %v", form.Kind, err)
		}
		if err := w.Write(example); (err != nil) != form.Single && form.Kind != format.Brat {
			t.Errorf("%s: second document: %v", form.Kind, err)
		}
		if err := w.Close(); err != nil || out.Len() == 0 {
			t.Errorf("%s: wrote %d bytes, %v", form.Kind, out.Len(), err)
		}
		if _, ok := w.(format.FailureWriter); ok != form.Units {
			t.Errorf("%s: only forms of keci's own have a place for failures and any unit", form.Kind)
		}
	}
}

func TestUnknownForms(t *testing.T) {
	if _, err := forms.ByName("pdf"); err == nil || !strings.Contains(err.Error(), "svg or png") {
		t.Errorf("got %v", err)
	}
	if _, ok := forms.ByMediaType("application/pdf"); ok {
		t.Error("application/pdf is found")
	}
}
