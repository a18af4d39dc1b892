package corpus

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// writeFiles puts files in a folder and returns it.
func writeFiles(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// The same document in every form: "α" has two bytes, so that no unit of offsets
// is taken for another.
func TestReadDocuments(t *testing.T) {
	const text = "TNF-α binds p75."
	entities := []Entity{{0, 6, "protein", 0, nil}, {13, 16, "protein", 1, nil}}
	for _, test := range []struct {
		form, file string
		files      map[string]string
		id         string
		directed   bool
	}{
		{"jsonl", "a.jsonl", map[string]string{"a.jsonl": `{"id":"d","text":"TNF-α binds p75.","mentions":[{"id":"T2","start":12,"end":15,"text":"p75","type":"protein"},{"id":"T1","start":0,"end":5,"text":"TNF-α","type":"protein"}],"relations":[{"id":"R1","head":"T1","tail":"T2","label":"bind","directed":true}]}`}, "d", true},
		{"jsonl", "a.jsonl", map[string]string{"a.jsonl": `{"id":"d","text":"TNF-α binds p75.","mentions":[{"id":"T2","start":12,"end":15,"text":"p75","type":"protein"},{"id":"T1","start":0,"end":5,"text":"TNF-α","type":"protein"}],"relations":[{"id":"R1","head":"T2","tail":"T1","label":"bind"}]}`}, "d", false},
		{"pubtator", "a.txt", map[string]string{"a.txt": "7|t|TNF-α binds p75.\n7|a|\n7\t0\t5\tTNF-α\tprotein\tC1\n7\t12\t15\tp75\tprotein\tC2\n7\tbind\tC2\tC1\n"}, "7", false},
		{"bioc", "a.json", map[string]string{"a.json": `{"source":"","date":"","key":"","documents":[{"id":"d","passages":[{"offset":0,"text":"TNF-α binds p75.","annotations":[
			{"id":"T1","infons":{"type":"protein"},"text":"TNF-α","locations":[{"offset":0,"length":5}]},
			{"id":"T2","infons":{"type":"protein"},"text":"p75","locations":[{"offset":12,"length":3}]}]}],
			"relations":[{"id":"R1","infons":{"type":"bind"},"nodes":[{"refid":"T1","role":""},{"refid":"T2","role":""}]}]}]}`}, "d", false},
		{"brat", ".", map[string]string{"d.txt": text, "d.ann": "T1\tprotein 0 5\tTNF-α\nT2\tprotein 12 15\tp75\nR1\tbind Arg1:T1 Arg2:T2\n"}, "d", true},
	} {
		t.Run(test.form, func(t *testing.T) {
			got, err := Read(test.form, filepath.Join(writeFiles(t, test.files), test.file))
			if err != nil {
				t.Fatal(err)
			}
			got.Examples[0].ID, got.Examples[0].Group = filepath.Base(got.Examples[0].ID), ""
			want := Corpus{
				Name: test.form, Directed: test.directed, EntityTypes: []string{"protein"}, RelationLabels: []string{"bind"},
				Examples: []Example{{ID: test.id, Text: got.Examples[0].Text, Entities: entities, Relations: []Relation{{0, 1, "bind"}}}},
			}
			if test.form == "pubtator" { // the one of these forms that has concepts
				e := &want.Examples[0]
				want.OfConcepts = true
				e.Entities = []Entity{{0, 6, "protein", 0, []string{"C1"}}, {13, 16, "protein", 1, []string{"C2"}}}
				e.ConceptRelations = []ConceptRelation{{"C2", "C1", "bind"}}
			}
			if diff := cmp.Diff(want, got, withoutPlaces); diff != "" {
				t.Errorf("Read (-want +got):\n%s", diff)
			}
			if strings.TrimSpace(got.Examples[0].Text) != text {
				t.Errorf("text %q, want %q", got.Examples[0].Text, text)
			}
		})
	}
}

// TestRelationsBetweenConcepts: they hold between the mentions that share a sentence.
func TestRelationsBetweenConcepts(t *testing.T) {
	path := write(t, `1|t|Lithium and tremor.
1|a|Lithium gave tremor and tremor. Lithium was stopped.
1	0	7	Lithium	Chemical	D1
1	12	18	tremor	Disease	D2
1	20	27	Lithium	Chemical	D1
1	33	39	tremor	Disease	D2
1	44	50	tremor	Disease	D2
1	52	59	Lithium	Chemical	D1
1	CID	D1	D2
`)
	got, err := Read("pubtator", path)
	if err != nil {
		t.Fatal(err)
	}
	want := []Relation{{0, 1, "CID"}, {2, 3, "CID"}, {2, 4, "CID"}}
	if diff := cmp.Diff(want, got.Examples[0].Relations); diff != "" {
		t.Errorf("relations (-want +got):\n%s", diff)
	}
	if !got.OfConcepts {
		t.Error("a corpus of relations of concepts is not scored as such")
	}
	mixed, err := Read("jsonl", write(t, `{"id":"a","text":"A b","mentions":[{"id":"T1","start":0,"end":1,"text":"A","type":"x","concepts":[{"cui":"C1"}]},`+
		`{"id":"T2","start":2,"end":3,"text":"b","type":"x","concepts":[{"cui":"C2"}]}],"relations":[{"id":"R1","head":"T1","tail":"T2","label":"r"}],`+
		`"conceptRelations":[{"head":"C1","tail":"C2","label":"r"}]}`))
	if err != nil || mixed.OfConcepts {
		t.Errorf("of concepts %t, %v, where there are relations of mentions", mixed.OfConcepts, err)
	}
}

// TestPlaceOfSentences: what a document is cut into, and is told to be too long, is at
// the place of the document.
func TestPlaceOfSentences(t *testing.T) {
	dir := writeFiles(t, map[string]string{"a.jsonl": `{"id":"a","text":"A b."}` + "\n" + `{"id":"b","text":"C d. E f."}`, "b.jsonl": "\n" + `{"id":"c","text":"G."}`})
	c, err := Read("jsonl", dir)
	if err != nil {
		t.Fatal(err)
	}
	cut, _ := c.InSentences()
	var got []string
	for _, e := range cut.Examples {
		got = append(got, e.ID+" "+strings.TrimPrefix(e.Place(), dir+string(filepath.Separator)))
	}
	if diff := cmp.Diff([]string{"a#1 a.jsonl:1", "b#1 a.jsonl:2", "b#2 a.jsonl:2", "c#1 b.jsonl:2"}, got); diff != "" {
		t.Errorf("places (-want +got):\n%s", diff)
	}
}

func TestReadDamagedDocuments(t *testing.T) {
	for _, test := range []struct {
		about, form, content string
		want                 []string
	}{
		{"span outside", "pubtator", "1|t|ab\n1|a|\n1\t0\t9\tab\tx\tC\n", []string{"corpus.json:3: ", "lies outside"}},
		{"another text", "pubtator", "1|t|ab\n1|a|\n1\t0\t1\tb\tx\tC\n", []string{"corpus.json:3: ", `"a"`, `"b"`}},
		{"same id", "pubtator", "1|t|ab\n\n1|t|cd\n", []string{"corpus.json:3: ", `"1"`, "taken by the text at ", "corpus.json:1: "}},
		{"no type", "jsonl", `{"text":"ab"}` + "\n" + `{"id":"a","text":"ab","mentions":[{"id":"T1","start":0,"end":1,"text":"a"}]}`, []string{`corpus.json:2: document "a": `, "T1", "no type"}},
		{"no type in BioC", "bioc", `{"documents":[` + "\n" + `{"id":"a","passages":[{"offset":0,"text":"ab","annotations":[{"id":"T1","text":"a","locations":[{"offset":0,"length":1}]}]}]}]}`, []string{`corpus.json:2: document "a": `, "T1", "no type"}},
		{"no label", "jsonl", "\n\n" + `{"text":"ab","mentions":[{"id":"T1","start":0,"end":1,"text":"a","type":"x"}],"relations":[{"id":"R1","head":"T1","tail":"T1"}]}`, []string{"corpus.json:3: ", "R1", "no label"}},
		{"unknown mention", "jsonl", "\n" + `{"text":"ab","relations":[{"id":"R1","head":"T1","tail":"T1","label":"x"}]}`, []string{"corpus.json:2: ", "R1", `"T1"`}},
		{"nothing", "jsonl", "\n", []string{"corpus.json", "no annotated text"}},
		{"no file of the form", "bioc", "hello", []string{"corpus.json"}},
	} {
		t.Run(test.about, func(t *testing.T) {
			_, err := Read(test.form, write(t, test.content))
			if err == nil {
				t.Fatal("no error")
			}
			for _, part := range test.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q does not say %s", err, part)
				}
			}
		})
	}
	if c, err := Read("jsonl", writeFiles(t, map[string]string{"a.jsonl": "\n" + `{"id":"a","text":"ab"}`, "b.jsonl": "\n\n" + `{"id":"a","text":"cd"}`})); err == nil ||
		!strings.Contains(err.Error(), "b.jsonl:3: ") || !strings.Contains(err.Error(), "a.jsonl:2: ") {
		t.Errorf("an id in two files: %v, %v, want both places", c.Examples, err)
	}
	skipped := 0
	c, err := Reader{Invalid: func(error) { skipped++ }}.Read("pubtator", write(t, "1|t|ab\n1|a|\n1\t0\t9\tab\tx\tC\n\n2|t|cd\n2|a|\n2\t0\t1\tc\tx\tC\n"))
	if err != nil || skipped != 1 || len(c.Examples) != 1 || c.Examples[0].ID != "2" {
		t.Errorf("%d skipped, %+v, %v, want the second document", skipped, c.Examples, err)
	}
}
