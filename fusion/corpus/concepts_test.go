package corpus

import (
	"bytes"
	"compress/gzip"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	title    = "Ibalin causes rash and itch."                        // of PubTator document 5
	abstract = "Rash went away. Ibalin or its salts may cause both." // begins at 29
	bc5cdr   = "5|t|" + title + "\n5|a|" + abstract + "\n" +
		"5\t0\t6\tIbalin\tChemical\tD1\n5\t14\t18\trash\tDisease\tD2\n5\t23\t27\titch\tDisease\tD3\n" +
		"5\t29\t33\tRash\tDisease\tD2\n5\t45\t51\tIbalin\tChemical\tD1\n5\t45\t60\tIbalin or its salts\tChemical\tD1|D4\tibalin|salts\n"
)

func packed(t *testing.T, text string) string {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestReadConcepts reads the benchmarks whose relations are of concepts.
func TestReadConcepts(t *testing.T) {
	mentions := strings.ReplaceAll(bc5cdr, "45\t60", "45\t64")
	entities := []Entity{
		{0, 6, "Chemical", 0, []string{"D1"}}, {14, 18, "Disease", 1, []string{"D2"}}, {23, 27, "Disease", 2, []string{"D3"}},
		{29, 33, "Disease", 3, []string{"D2"}}, {45, 51, "Chemical", 4, []string{"D1"}}, {45, 64, "Chemical", 5, []string{"D1", "D4"}},
	}
	for _, test := range []struct {
		form, file string
		files      map[string]string
		concepts   []ConceptRelation
		relations  []Relation // those within a sentence
	}{
		{"bc5cdr", "a.txt", map[string]string{"a.txt": mentions + "5\tCID\tD1\tD2\n5\tCID\tD4\tD3\n"},
			[]ConceptRelation{{"D1", "D2", "CID"}, {"D4", "D3", "CID"}}, []Relation{{0, 1, "CID"}}},
		{"chemdisgene", "x_abstracts.txt.gz", map[string]string{
			"x_abstracts.txt.gz":     packed(t, mentions+"5\t52\t54\tor\tSpecies\t9\n"),
			"x_relationships.tsv.gz": packed(t, "5\tcauses\tD2\tD1\n5\tcauses\tD2\tD1\n5\thas\t9\tD1\n7\tcauses\tD2\tD1\n"),
		}, []ConceptRelation{{"D2", "D1", "causes"}}, []Relation{{0, 1, "causes"}}},
	} {
		t.Run(test.form, func(t *testing.T) {
			got, err := Read(test.form, filepath.Join(writeFiles(t, test.files), test.file))
			if err != nil {
				t.Fatal(err)
			}
			label := test.concepts[0].Label
			want := Corpus{Name: test.form, OfConcepts: true, EntityTypes: []string{"Chemical", "Disease"}, RelationLabels: []string{label},
				Examples: []Example{{ID: "5", Group: "5", Text: title + "\n" + abstract, Entities: entities, ConceptRelations: test.concepts, Relations: test.relations}}}
			if diff := cmp.Diff(want, got, withoutPlaces); diff != "" {
				t.Errorf("Read (-want +got):\n%s", diff)
			}
			if counts := got.CountLabels(); counts[label] != len(test.concepts) {
				t.Errorf("labels %v, want %d relations of concepts", counts, len(test.concepts))
			}
		})
	}
}

// TestReadConceptsTells names document, line and offset of what contradicts the text.
func TestReadConceptsTells(t *testing.T) {
	good := strings.ReplaceAll(bc5cdr, "45\t60", "45\t64")
	for name, test := range map[string]struct {
		form, file string
		files      map[string]string
		want       []string
	}{
		"offsets that do not fit": {"bc5cdr", "a.txt", map[string]string{"a.txt": strings.Replace(good, "5\t14\t18\trash", "5\t13\t17\trash", 1)}, []string{"a.txt:4", "document \"5\"", "from 13 to 17", `"rash"`}},
		"outside the text":        {"bc5cdr", "a.txt", map[string]string{"a.txt": strings.Replace(good, "5\t14\t18\trash", "5\t14\t180\trash", 1)}, []string{"a.txt:4", "document \"5\"", "14 to 180"}},
		"a concept of no mention": {"bc5cdr", "a.txt", map[string]string{"a.txt": "4|t|One.\n\n" + good + "5\tCID\tD1\tD9\n"}, []string{"a.txt:3: document \"5\"", "CID", "D9"}},
		"no relations":            {"chemdisgene", "x_abstracts.txt", map[string]string{"x_abstracts.txt": good}, []string{"x_relationships.tsv"}},
		"a relation of a column":  {"chemdisgene", "x_abstracts.txt", map[string]string{"x_abstracts.txt": good, "x_relationships.tsv": "5\tcauses\tD1\tD2\n5\n"}, []string{"x_relationships.tsv:2", "4 columns"}},
		"another name":            {"chemdisgene", "x.txt", map[string]string{"x.txt": good}, []string{"_abstracts.txt", "_relationships.tsv"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Read(test.form, filepath.Join(writeFiles(t, test.files), test.file))
			if err == nil {
				t.Fatal("no error")
			}
			for _, part := range test.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("the error does not say %q: %v", part, err)
				}
			}
		})
	}
}
