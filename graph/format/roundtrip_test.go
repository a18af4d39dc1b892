package format_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/format"
)

var update = flag.Bool("update", false, "write the golden files anew")

func share(x float64) *float64 { return &x }

// extracted are documents as keci makes them, with all that forms may stumble on:
// characters of one to four bytes, line ends, markup, nested mentions, relations
// with and without a direction, mentions without a concept.
func extracted() []graph.Document {
	mention := func(id string, start, end int, text, kind string) graph.Mention {
		return graph.Mention{ID: id, Start: start, End: end, Text: text, Type: kind, Score: 0.75, Sentinel: share(0.25), Concepts: []graph.Candidate{}}
	}
	a := graph.Document{ID: "PMID:1", Title: "β-catenin & 😀 <TCF4>.", Text: "β-catenin & 😀 <TCF4>.\nIt's \"not\"\r\nbound, 100\t%.", Offsets: graph.OffsetCodepoint,
		Mentions:  []graph.Mention{mention("T1", 0, 9, "β-catenin", "protein"), mention("T2", 2, 9, "catenin", "protein-family"), mention("T3", 15, 19, "TCF4", "gene"), mention("T4", 28, 39, "not\"\r\nbound", "binding state")},
		Relations: []graph.Extraction{{ID: "R1", Head: "T1", Tail: "T3", Label: "bind", Directed: true, Score: 0.5, Initial: graph.Judgement{Score: 0.25}}, {ID: "R2", Head: "T3", Tail: "T2", Label: "bind", Score: 0.5}, {ID: "R3", Head: "T1", Tail: "T4", Label: "is", Score: 0.125}},
	}
	a.Mentions[0].Concepts = []graph.Candidate{
		{CUI: "C0105770", Name: "beta Catenin", SemanticTypes: []graph.TUI{"T116"}, Score: 800, Weight: share(0.125)}, // the attention is no judgement of it
		{CUI: "C0000001", Name: "another", SemanticTypes: []graph.TUI{"T116"}, Score: 900, Weight: share(0.625)}}
	a.Mentions[1].Concepts = []graph.Candidate{{CUI: "C0105771", Name: "Catenin", SemanticTypes: []graph.TUI{"T116"}, Score: 1000, Weight: share(0.75)}}
	a.Mentions[2].Concepts = []graph.Candidate{{CUI: "C0812242", Name: "TCF4 gene", SemanticTypes: []graph.TUI{"T028"}, Score: 1000, Weight: share(0.75)}}
	a.Mentions[3].Negated = true
	a.Mentions[3].Sentinel = share(1)
	b := graph.Document{ID: "b/2 x", Text: "Nothing here.", Offsets: graph.OffsetCodepoint, Mentions: []graph.Mention{}, Relations: []graph.Extraction{}}
	return []graph.Document{a, b}
}

// write writes documents in a form.
func write(t *testing.T, kind format.Kind, documents []graph.Document) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := format.NewWriter(&out, kind)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range documents {
		if err := w.Write(d); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// unzipped gives the files of an archive behind their names.
func unzipped(t *testing.T, content []byte) []byte {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, file := range archive.File {
		in, err := file.Open()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "== %s\n", file.Name)
		if _, err := io.Copy(&out, in); err != nil {
			t.Fatal(err)
		}
		in.Close()
	}
	return out.Bytes()
}

// Every form, looked through by hand once, stays as it is.
func TestGolden(t *testing.T) {
	for kind, file := range map[format.Kind]string{
		format.JSONL: "documents.jsonl", format.JSON: "documents.json", format.BioC: "bioc.json", format.BioCXML: "bioc.xml", format.PubTator: "documents.pubtator",
		format.PubAnnotation: "pubannotation.jsonl", format.Brat: "brat", format.CSV: "relations.csv", format.GraphML: "documents.graphml",
	} {
		got := write(t, kind, extracted())
		if kind == format.Brat {
			got = unzipped(t, got)
		}
		path := filepath.Join("testdata", file)
		if *update {
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s, want - got +:\n%s", kind, diff)
		}
	}
}

// kept is what a form keeps of extracted documents; see the package comment.
func kept(kind format.Kind) []graph.Document {
	documents := extracted()
	if kind == format.JSONL || kind == format.JSON {
		return documents
	}
	a := &documents[0]
	for i := range a.Mentions {
		m := &a.Mentions[i]
		concepts := []graph.Candidate{}
		if i < 3 {
			id := []graph.CUI{"C0105770", "C0105771", "C0812242"}[i]
			concepts = append(concepts, graph.Candidate{CUI: id, SemanticTypes: []graph.TUI{}})
		}
		*m = graph.Mention{ID: m.ID, Start: m.Start, End: m.End, Text: m.Text, Type: m.Type, Score: m.Score, Negated: m.Negated, Concepts: concepts}
	}
	a.Relations[0].Initial = graph.Judgement{}
	switch kind {
	case format.PubAnnotation:
		a.Title = ""
	case format.PubTator:
		a.Text = a.Title + "\nIt's \"not\"  bound, 100 %."
		a.Mentions[3].Text = "not\"  bound"
		a.Mentions[3].Negated = false
		a.Relations = []graph.Extraction{}
		a.ConceptRelations = []graph.ConceptRelation{
			{Head: "C0105770", Tail: "C0812242", Label: "bind"}, {Head: "C0105771", Tail: "C0812242", Label: "bind"}}
	case format.Brat:
		a.Title = ""
		a.Mentions[3].Type = "binding_state"
		for i := range a.Relations {
			a.Relations[i].Score = 0
		}
	}
	if kind == format.PubTator || kind == format.Brat {
		for i := range a.Mentions {
			a.Mentions[i].Score = 0
		}
	}
	return documents
}

func TestRoundTrip(t *testing.T) {
	for _, kind := range []format.Kind{format.JSONL, format.JSON, format.BioC, format.BioCXML, format.PubTator, format.PubAnnotation} {
		var got []graph.Document
		for d, err := range format.ReadAnnotated(bytes.NewReader(write(t, kind, extracted())), kind) {
			if err != nil {
				t.Fatalf("%s: %v", kind, err)
			}
			got = append(got, d)
		}
		if diff := cmp.Diff(kept(kind), got); diff != "" {
			t.Errorf("%s, want - got +:\n%s", kind, diff)
		}
	}
}

func TestRoundTripOfBrat(t *testing.T) {
	dir := t.TempDir()
	w := format.NewBratFolder(dir)
	for _, d := range extracted() {
		d, err := d.WithOffsets(graph.OffsetByte) // which must make no difference
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(d); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.Write(extracted()[0]); err != nil {
		t.Error("the same document again:", err)
	}
	if err := format.NewBratFolder(dir).Write(extracted()[0]); err == nil {
		t.Error("a file was overwritten")
	}
	if diff := cmp.Diff(kept(format.Brat), readCorpus(t, dir, "")); diff != "" {
		t.Errorf("want - got +:\n%s", diff)
	}
}

// What people annotated goes through the forms that have a place for it.
func TestRoundTripOfRealCorpora(t *testing.T) {
	dir := corpora(t)
	for _, file := range []string{"bc5cdr/CDR_DevelopmentSet.PubTator.txt", "biored/Dev.BioC.JSON", "chemdisgene/dev_abstracts.txt.gz"} {
		documents := readCorpus(t, filepath.Join(dir, file), "")
		for _, kind := range []format.Kind{format.JSONL, format.BioC, format.BioCXML, format.PubTator} {
			var got []graph.Document
			for d, err := range format.ReadAnnotated(bytes.NewReader(write(t, kind, documents)), kind) {
				if err != nil {
					t.Fatalf("%s: %s: %v", file, kind, err)
				}
				got = append(got, d)
			}
			want := documents
			if kind == format.PubTator {
				want = renamed(documents)
			}
			for i := range want { // a cmp.Diff of all takes half a minute
				if i >= len(got) || !reflect.DeepEqual(want[i], got[i]) {
					t.Fatalf("%s: %s: document %d of %d is not what it was: %s", file, kind, i+1, len(got), cmp.Diff(want[i:i+1], got[min(i, len(got)):min(i+1, len(got))]))
				}
			}
		}
	}
}

// renamed gives the mentions the ids that they have where the form has none.
func renamed(documents []graph.Document) []graph.Document {
	named := make([]graph.Document, len(documents))
	for i, d := range documents {
		named[i] = d
		named[i].Mentions = make([]graph.Mention, len(d.Mentions))
		for j, m := range d.Mentions {
			m.ID = fmt.Sprintf("T%d", j+1)
			named[i].Mentions[j] = m
		}
	}
	return named
}

func TestWritersOfNothing(t *testing.T) {
	for _, kind := range []format.Kind{format.BioC, format.BioCXML, format.PubTator, format.PubAnnotation} {
		for d, err := range format.ReadAnnotated(bytes.NewReader(write(t, kind, nil)), kind) {
			t.Errorf("%s: got %v, %v", kind, d, err)
		}
	}
	if got := string(write(t, format.CSV, nil)); !strings.HasPrefix(got, "document,relation,head,") {
		t.Errorf("CSV without a header: %q", got)
	}
}

func TestWritersRefuseMentionsOutsideTheText(t *testing.T) {
	outside := graph.Document{ID: "a", Text: "abc", Mentions: []graph.Mention{{ID: "T1", Start: 1, End: 4}}}
	for _, kind := range []format.Kind{format.BioC, format.BioCXML, format.PubTator, format.PubAnnotation, format.Brat, format.CSV, format.GraphML} {
		w, err := format.NewWriter(io.Discard, kind)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(outside); err == nil {
			t.Errorf("%s: no error", kind)
		}
	}
}

// White space of every kind goes through every form, or becomes a blank where the form
// has no way to say it: offsets stay as they are.
func TestWhiteSpaceOfPages(t *testing.T) {
	const text = "Page one.\n\fPage two:\vTCF4\fbinds\u0085DNA."
	blank := strings.NewReplacer("\f", " ", "\v", " ")
	d := graph.Document{ID: "a", Text: text, Mentions: []graph.Mention{{ID: "T1", Start: 21, End: 31, Text: "TCF4\fbinds", Type: "x"}}}
	for kind, want := range map[format.Kind]string{
		format.JSONL: text, format.BioC: text, format.PubAnnotation: text, format.BioCXML: blank.Replace(text),
		format.PubTator: strings.ReplaceAll(blank.Replace(text), "\u0085", " "),
	} {
		for got, err := range format.ReadAnnotated(bytes.NewReader(write(t, kind, []graph.Document{d})), kind) {
			if err != nil || got.Text != want || len(got.Mentions) != 1 || got.Mentions[0].Start != 21 || got.Mentions[0].End != 31 {
				t.Errorf("%s: got %+v, %v, want %q", kind, got, err, want)
			}
		}
	}
	if got := string(write(t, format.GraphML, []graph.Document{d})); !strings.Contains(got, ">TCF4 binds<") {
		t.Errorf("GraphML: %s", got)
	}
}

// What the linker says of mentions goes through the forms that have a place for it.
func TestRoundTripOfLinked(t *testing.T) {
	d := graph.Document{ID: "a", Text: "FKBP12", Offsets: graph.OffsetCodepoint, Relations: []graph.Extraction{}, Mentions: []graph.Mention{
		{ID: "T1", End: 6, Text: "FKBP12", Final: true, Concepts: []graph.Candidate{{CUI: "C1", Confidence: 0.75, SemanticTypes: []graph.TUI{}}}},
		{ID: "T2", End: 4, Text: "FKBP", Concepts: []graph.Candidate{{CUI: "C2", Confidence: 0.25, SemanticTypes: []graph.TUI{}}}}}}
	for _, kind := range []format.Kind{format.JSONL, format.BioC, format.BioCXML, format.PubAnnotation} {
		for got, err := range format.ReadAnnotated(bytes.NewReader(write(t, kind, []graph.Document{d})), kind) {
			got.Relations = []graph.Extraction{}
			if diff := cmp.Diff(d, got); diff != "" || err != nil {
				t.Errorf("%s: %v, want - got +:\n%s", kind, err, diff)
			}
		}
	}
	if got := string(write(t, format.GraphML, []graph.Document{d})); !strings.Contains(got, `<data key="final">true</data><data key="confidence">0.75</data></node>`) ||
		!strings.Contains(got, `<data key="negated">false</data><data key="confidence">0.25</data></node>`) {
		t.Errorf("GraphML: %s", got)
	}
}

// A document may come twice, but in some forms it can stand only once.
func TestWriteAgain(t *testing.T) {
	a := graph.Document{ID: "a|b", Text: "abc", Mentions: []graph.Mention{{ID: "T1", Start: 0, End: 3, Text: "abc"}}}
	for _, kind := range []format.Kind{format.Brat, format.GraphML} {
		if once, twice := write(t, kind, []graph.Document{a}), write(t, kind, []graph.Document{a, a}); !bytes.Equal(once, twice) {
			t.Errorf("%s: got\n%s\nwant\n%s", kind, twice, once)
		}
	}
	for kind, second := range map[format.Kind]graph.Document{
		format.Brat: {ID: "a|b", Text: "another"}, format.GraphML: {ID: "a|b", Text: "another"}, format.PubTator: {ID: "a_b", Text: "another"},
	} {
		w, err := format.NewWriter(io.Discard, kind)
		if err := errors.Join(err, w.Write(a)); err != nil {
			t.Fatal(err)
		}
		if err := w.Write(second); err == nil || !strings.Contains(err.Error(), "another id") {
			t.Errorf("%s: error %v", kind, err)
		}
	}
}

func TestSingle(t *testing.T) {
	var out bytes.Buffer
	w := format.Single(&out, func(out io.Writer, d graph.Document) error {
		_, err := io.WriteString(out, d.ID)
		return err
	})
	if err := w.Close(); err == nil {
		t.Error("none: no error")
	}
	if err := w.Write(graph.Document{ID: "a"}); err != nil {
		t.Error(err)
	}
	if err := w.Write(graph.Document{ID: "b"}); err == nil {
		t.Error("two: no error")
	}
	if err := w.Close(); err != nil || out.String() != "a" {
		t.Errorf("got %q, %v", out.String(), err)
	}
}

func FuzzReadAnnotated(f *testing.F) {
	for i, kind := range format.Inputs {
		if kind != format.Text && kind != format.Brat {
			var out bytes.Buffer
			w, err := format.NewWriter(&out, kind)
			if err := errors.Join(err, w.Write(extracted()[0]), w.Close()); err != nil {
				f.Fatal(err)
			}
			f.Add(i, out.Bytes())
		}
	}
	f.Fuzz(func(t *testing.T, kind int, in []byte) {
		if kind < 0 || kind >= len(format.Inputs) {
			return
		}
		for d, err := range format.ReadAnnotated(bytes.NewReader(in), format.Inputs[kind]) {
			if err != nil {
				continue
			}
			if _, err := d.WithOffsets(graph.OffsetByte); err != nil {
				t.Errorf("what was read is no document: %v", err)
			}
		}
	})
}
