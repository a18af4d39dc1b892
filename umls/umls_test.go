package umls

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"

	"github.com/keci-kg/keci/graph"
)

// A release of four concepts: two enzymes of one pathway, a drug and a name
// that is suppressed. C0000003 has a definition of a French atom only.
var small = map[string]string{
	"META/MRCONSO.RRF": `C0000001|ENG|S|L1|VO|S1|N|A1||||MSH|ET|D1|aspirin tablet|0|N||
C0000001|ENG|P|L2|PF|S2|Y|A2||||MSH|PT|D1|Aspirin|0|N||
C0000001|ENG|S|L3|PF|S3|Y|A3||||CHEBI|PT|CHEBI:15365|acetylsalicylic acid|0|N||
C0000001|ENG|P|L2|PF|S2|N|A4||||CHEBI|SY|CHEBI:15365|Aspirin|0|N||
C0000001|FRE|P|L4|PF|S4|Y|A5||||MSHFRE|PT|D1|Aspirine|3|N||
C0000002|ENG|P|L5|PF|S5|Y|A6||||MSH|PT|NOCODE|COX-1|0|N||
C0000002|ENG|S|L6|PF|S6|Y|A7||||MSH|PT|D2|old name|0|O||
C0000003|ENG|P|L7|PF|S7|Y|A8||||MSH|PT|D3|COX-2|0|N||
C0000003|FRE|P|L8|PF|S8|Y|A9||||MSHFRE|PT|D3|cyclo-oxygénase 2|0|N||
C0000004|ENG|P|L9|PF|S9|Y|A10||||MSH|PT|D4|gone|0|Y||
`,
	"META/MRSTY.RRF": `C0000001|T121|A1.4.1.1.1|Pharmacologic Substance|AT1||
C0000001|T109|A1.4.1.2.1|Organic Chemical|AT2||
C0000002|T126|A1.4.1.1.3.3|Enzyme|AT3||
C0000003|T126|A1.4.1.1.3.3|Enzyme|AT4||
C0000004|T126|A1.4.1.1.3.3|Enzyme|AT5||
`,
	"META/MRDEF.RRF": `C0000001|A9999|AT6||MSH|Of an atom that is not there.|N||
C0000001|A2|AT7||MSH|Suppressed.|Y||
C0000001|A3|AT8||CHEBI|A benzoic acid.|N||
C0000001|A2|AT9||MSH|The second.|N||
C0000003|A9|AT10||MSHFRE|Une enzyme.|N||
`,
	"META/MRREL.RRF": `C0000001|A2|AUI|RO|C0000002|A6|AUI|Inhibited_By|R1||MSH|MSH|||N||
C0000001|A2|AUI|RO|C0000002|A6|AUI|inhibited_by|R2||CHEBI|CHEBI|||N||
C0000001|A2|AUI|RB|C0000001|A3|AUI||R3||MSH|MSH|||N||
C0000002|A6|AUI|RO|C0000001|A2|AUI|inhibits|R4||MSH|MSH|||N||
C0000002|A6|AUI|SIB|C0000003|A8|AUI||R5||MSH|MSH|||N||
C0000002|A6|AUI|RN|C0000003|A8|AUI||R6||MSH|MSH|||O||
C0000003|A8|AUI|XR|C0000001|A2|AUI||R7||MSH|MSH|||N||
`,
	"META/MRSAB.RRF": `C1|C2|MSH2026|MSH|Medical Subject Headings|MSH|2026|||||ask NLM|nlm.nih.gov|0|||FULL|PT|||UTF-8|Y|Y|MeSH|NLM|
C3|C4|OLD1|OLD|Not in this release|OLD|1|||||||0|||FULL|PT|||UTF-8|N|N|||
C5|C6|CHEBI1|CHEBI|ChEBI|CHEBI|1|||||||0|||FULL|PT|||UTF-8|Y|Y||EBI|
`,
	"NET/SRDEF": `STY|T126|Enzyme|A1.4.1.1.3.3|A complex chemical that catalyzes.||||enzy||
STY|T121|Pharmacologic Substance|A1.4.1.1.1|A substance.||||phsu||
STY|T109|Organic Chemical|A1.4.1.2.1|Carbon.||||orch||
RL|T151|affects|R3.1|Produces an effect.||||AF|affected_by|
RL|T186|isa|H|The basic link.||||IS|inverse_isa|
`,
	"NET/SRSTRE1": `T121|T151|T126|
T109|T151|T126|
T151|T186|T151|
`,
	"NET/SRSTR": `Pharmacologic Substance|affects|Enzyme|D|
Enzyme|affects|Organic Chemical|B|
affects|isa|affects|D|
`,
}

// writeRelease writes files in a new folder; names that end in .gz are packed.
func writeRelease(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		data := []byte(content)
		if strings.HasSuffix(name, ".gz") {
			data = packed(content)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func packed(content string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write([]byte(content))
	w.Close()
	return b.Bytes()
}

func open(t *testing.T, files map[string]string, options Options) *Release {
	t.Helper()
	r, err := Open(writeRelease(t, files), options)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func collect[T any](t *testing.T, seq iter.Seq2[T, error]) []T {
	t.Helper()
	var list []T
	for item, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, item)
	}
	return list
}

func check[T any](t *testing.T, want, got T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("difference (-want +got):\n%s", diff)
	}
}

func TestConcepts(t *testing.T) {
	aspirin := graph.Concept{
		CUI: "C0000001", Name: "Aspirin", Synonyms: []string{"aspirin tablet", "acetylsalicylic acid"},
		SemanticTypes: []graph.TUI{"T109", "T121"}, Definition: "A benzoic acid.",
		Sources: []string{"CHEBI", "MSH"}, Codes: []graph.Code{{Source: "CHEBI", Code: "CHEBI:15365"}, {Source: "MSH", Code: "D1"}},
	}
	cox1 := graph.Concept{
		CUI: "C0000002", Name: "COX-1", SemanticTypes: []graph.TUI{"T126"}, Sources: []string{"MSH"}, Codes: []graph.Code{},
	}
	cox2 := graph.Concept{
		CUI: "C0000003", Name: "COX-2", SemanticTypes: []graph.TUI{"T126"}, Sources: []string{"MSH"},
		Codes: []graph.Code{{Source: "MSH", Code: "D3"}},
	}
	for _, tc := range []struct {
		name    string
		options Options
		want    []graph.Concept
	}{
		{"English", Options{}, []graph.Concept{aspirin, cox1, cox2}},
		{"one type", Options{Types: []graph.TUI{"T121"}}, []graph.Concept{aspirin}},
		{"one source", Options{Sources: []string{"CHEBI"}}, []graph.Concept{{
			CUI: "C0000001", Name: "Aspirin", Synonyms: []string{"acetylsalicylic acid"}, // TS=P, though it comes later
			SemanticTypes: []graph.TUI{"T109", "T121"}, Definition: "A benzoic acid.",
			Sources: []string{"CHEBI"}, Codes: []graph.Code{{Source: "CHEBI", Code: "CHEBI:15365"}},
		}}},
		{"French first", Options{Languages: []string{"FRE", "ENG"}, Types: []graph.TUI{"T126"}}, []graph.Concept{cox1, {
			CUI: "C0000003", Name: "cyclo-oxygénase 2", Synonyms: []string{"COX-2"}, SemanticTypes: []graph.TUI{"T126"},
			Definition: "Une enzyme.", Sources: []string{"MSH", "MSHFRE"},
			Codes: []graph.Code{{Source: "MSH", Code: "D3"}, {Source: "MSHFRE", Code: "D3"}},
		}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			check(t, tc.want, collect(t, open(t, small, tc.options).Concepts(t.Context())))
		})
	}
}

func TestRelations(t *testing.T) {
	all := []graph.Relation{
		{Head: "C0000002", Label: "inhibited_by", Tail: "C0000001", Rel: "RO", Sources: []string{"CHEBI", "MSH"}},
		{Head: "C0000001", Label: "inhibits", Tail: "C0000002", Rel: "RO", Sources: []string{"MSH"}},
		{Head: "C0000003", Label: "SIB", Tail: "C0000002", Rel: "SIB", Sources: []string{"MSH"}},
	}
	check(t, all, collect(t, open(t, small, Options{}).Relations(t.Context())))
	check(t, []graph.Relation{{Head: "C0000002", Label: "inhibited_by", Tail: "C0000001", Rel: "RO", Sources: []string{"CHEBI"}}},
		collect(t, open(t, small, Options{Sources: []string{"CHEBI"}}).Relations(t.Context())))
}

func TestNetwork(t *testing.T) {
	r := open(t, small, Options{})
	check(t, []graph.SemanticType{
		{TUI: "T109", Abbreviation: "orch", Name: "Organic Chemical", TreeNumber: "A1.4.1.2.1", Definition: "Carbon."},
		{TUI: "T121", Abbreviation: "phsu", Name: "Pharmacologic Substance", TreeNumber: "A1.4.1.1.1", Definition: "A substance."},
		{TUI: "T126", Abbreviation: "enzy", Name: "Enzyme", TreeNumber: "A1.4.1.1.3.3", Definition: "A complex chemical that catalyzes."},
	}, collect(t, r.SemanticTypes(t.Context())))
	check(t, []graph.TypeRelation{{Head: "T109", Label: "affects", Tail: "T126"}, {Head: "T121", Label: "affects", Tail: "T126"}},
		collect(t, r.TypeRelations(t.Context())))

	t.Run("asserted relations only", func(t *testing.T) {
		r := open(t, without(small, "NET/SRSTRE1"), Options{})
		check(t, []graph.TypeRelation{{Head: "T121", Label: "affects", Tail: "T126"}}, collect(t, r.TypeRelations(t.Context())))
	})
	t.Run("no relations", func(t *testing.T) {
		if open(t, without(small, "NET/SRSTR", "NET/SRSTRE1"), Options{}).HasNetwork() {
			t.Error("HasNetwork is true")
		}
	})
	t.Run("none", func(t *testing.T) {
		r := open(t, without(small, "NET/SRDEF", "NET/SRSTR", "NET/SRSTRE1"), Options{})
		if r.HasNetwork() {
			t.Error("HasNetwork is true")
		}
		check(t, []graph.SemanticType{
			{TUI: "T109", Name: "Organic Chemical", TreeNumber: "A1.4.1.2.1"},
			{TUI: "T121", Name: "Pharmacologic Substance", TreeNumber: "A1.4.1.1.1"},
			{TUI: "T126", Name: "Enzyme", TreeNumber: "A1.4.1.1.3.3"},
		}, collect(t, r.SemanticTypes(t.Context())))
		check(t, nil, collect(t, r.TypeRelations(t.Context())))
	})
}

func without(files map[string]string, names ...string) map[string]string {
	kept := map[string]string{}
	for name, content := range files {
		if !slices.Contains(names, name) {
			kept[name] = content
		}
	}
	return kept
}

func with(files map[string]string, name, content string) map[string]string {
	changed := without(files)
	changed[name] = content
	return changed
}

func TestSources(t *testing.T) {
	got, err := open(t, small, Options{}).Sources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	check(t, []graph.SourceInfo{
		{Abbreviation: "CHEBI", Name: "ChEBI", Version: "1", Attribution: "EBI"},
		{Abbreviation: "MSH", Name: "Medical Subject Headings", Version: "2026", Licence: "ask NLM", Contact: "nlm.nih.gov", Attribution: "NLM"},
	}, got)
}

// All ways to lay the files out give the same.
func TestLayouts(t *testing.T) {
	want := collect(t, open(t, small, Options{}).Concepts(t.Context()))
	for _, layout := range []struct {
		name string
		file func(string) string
	}{
		{"flat", filepath.Base},
		{"gzipped", func(name string) string { return name + ".gz" }},
		{"flat and gzipped", func(name string) string { return filepath.Base(name) + ".gz" }},
	} {
		t.Run(layout.name, func(t *testing.T) {
			files := map[string]string{}
			for name, content := range small {
				files[layout.file(name)] = content
			}
			var read int
			r := open(t, files, Options{OnRead: func(n int) { read += n }})
			check(t, want, collect(t, r.Concepts(t.Context())))
			collect(t, r.Relations(t.Context()))
			collect(t, r.TypeRelations(t.Context()))
			if read == 0 || int64(read) > r.Bytes() {
				t.Errorf("read %d of %d bytes", read, r.Bytes())
			}
		})
	}
	t.Run("Windows line ends", func(t *testing.T) {
		files := map[string]string{}
		for name, content := range small {
			files[name] = strings.ReplaceAll(content, "\n", "\r\n")
		}
		check(t, want, collect(t, open(t, files, Options{}).Concepts(t.Context())))
	})
}

func TestOpenWithoutTables(t *testing.T) {
	for _, missing := range []string{"META/MRCONSO.RRF", "META/MRSTY.RRF"} {
		_, err := Open(writeRelease(t, without(small, missing)), Options{})
		if name := filepath.Base(missing); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: %v", name, err)
		}
	}
}

func TestDamagedTables(t *testing.T) {
	conso, rel := small["META/MRCONSO.RRF"], small["META/MRREL.RRF"]
	lines := strings.SplitAfter(conso, "\n")
	for _, tc := range []struct {
		name, file, content string
		want                string // in the error
	}{
		{"a column too few", "META/MRCONSO.RRF", lines[0] + strings.Replace(lines[1], "|0|N||", "|0|N|", 1), "MRCONSO.RRF:2: the row has 17 columns"},
		{"cut off", "META/MRCONSO.RRF", conso[:len(conso)-20], "MRCONSO.RRF:10: the table ends in the middle of a row"},
		{"not sorted", "META/MRCONSO.RRF", lines[5] + lines[0], "MRCONSO.RRF:2: C0000001 comes after C0000002"},
		{"types not sorted", "META/MRSTY.RRF", "C0000002|T126|A|Enzyme|AT3||\nC0000001|T126|A|Enzyme|AT3||\n", "MRSTY.RRF:2: C0000001 comes after"},
		{"relations not sorted", "META/MRREL.RRF", rel + rel, "MRREL.RRF:8: C0000001 comes after"},
		{"no name", "META/MRCONSO.RRF", strings.Replace(lines[0], "aspirin tablet", "", 1), "MRCONSO.RRF:1:15: the name (STR) is empty"},
		{"no concept", "META/MRCONSO.RRF", strings.TrimPrefix(lines[0], "C0000001") + conso, "MRCONSO.RRF:1:1: the CUI is empty"},
		{"relation of no concept", "META/MRREL.RRF", strings.TrimPrefix(rel, "C0000001") + rel, "MRREL.RRF:1:1: the CUI1 is empty"},
		{"not UTF-8", "META/MRCONSO.RRF", strings.Replace(lines[0], "aspirin", "a\xffspirin", 1), "MRCONSO.RRF:1:15: the row is not valid UTF-8"},
		{"endless line", "META/MRCONSO.RRF", strings.Repeat("x", 3<<20), "MRCONSO.RRF:1: the line is longer"},
		{"unknown kind", "NET/SRDEF", "XX|T1|n|A|||||||\n", "SRDEF:1:1: "},
		{"unknown relation", "NET/SRSTRE1", "T121|T999|T126|\n", "SRSTRE1:1:2: the relation T999 is not in SRDEF"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := readAll(t.Context(), open(t, with(small, tc.file, tc.content), Options{}))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
		})
	}
}

// readAll reads everything of a release until the first error.
func readAll(ctx context.Context, r *Release) error {
	_, err := r.Sources(ctx)
	return errors.Join(err, first(r.SemanticTypes(ctx)), first(r.TypeRelations(ctx)), first(r.Concepts(ctx)), first(r.Relations(ctx)))
}

func first[T any](seq iter.Seq2[T, error]) error {
	for _, err := range seq {
		if err != nil {
			return err
		}
	}
	return nil
}

func TestConceptsOfCodes(t *testing.T) {
	files := with(small, "META/MRCONSO.RRF", `C0000001|ENG|S|L1|PF|S1|Y|A1||||HPO|SY|HP:0000001|a|0|N||
C0000002|ENG|P|L2|PF|S2|Y|A2||||HPO|PT|HP:0000001|b|0|N||
C0000003|ENG|P|L3|PF|S3|Y|A3||||NCI|PT|c3262|c|0|N||
C0000003|ENG|P|L4|PF|S4|Y|A4||||XYZ|PT|7|d|0|N||
C0000004|ENG|P|L5|PF|S5|Y|A5||||GO|PT|GO:0000005|e|0|O||
C0000005|ENG|P|L6|PF|S6|Y|A6||||GO|PT|GO:0000006|f|0|N||
`)
	got, err := open(t, files, Options{Sources: []string{"MSH"}}).ConceptsOfCodes(t.Context(), func(id string) bool { return id != "GO:0000006" })
	if err != nil {
		t.Fatal(err)
	}
	check(t, map[string]graph.CUI{"HP:0000001": "C0000002", "NCIT:C3262": "C0000003"}, got)
}

func TestTruncatedGzip(t *testing.T) {
	files := without(small, "META/MRCONSO.RRF")
	dir := writeRelease(t, files)
	whole := packed(strings.Repeat(small["META/MRCONSO.RRF"][:strings.Index(small["META/MRCONSO.RRF"], "\n")+1], 1000))
	path := filepath.Join(dir, "META", "MRCONSO.RRF.gz")
	for name, size := range map[string]int{"in the header": 5, "in the middle": len(whole) / 2, "before the checksum": len(whole) - 8} {
		if err := os.WriteFile(path, whole[:size], 0o644); err != nil {
			t.Fatal(err)
		}
		r, err := Open(dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := first(r.Concepts(t.Context())); err == nil || !strings.Contains(err.Error(), "MRCONSO.RRF.gz:") {
			t.Errorf("cut %s: %v", name, err)
		}
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := open(t, small, Options{})
	for name, err := range map[string]error{
		"concepts": first(r.Concepts(ctx)), "relations": first(r.Relations(ctx)), "types": first(r.SemanticTypes(ctx)),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestStopEarly(t *testing.T) {
	for c := range open(t, small, Options{}).Concepts(t.Context()) {
		if c.CUI != "C0000001" {
			t.Fatal(c.CUI)
		}
		break
	}
}

// sharedData is a folder of the real data, or the test is skipped.
func sharedData(t *testing.T, name string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("real data takes long")
	}
	root := os.Getenv("KECI_SHARED_DATA")
	if root == "" {
		root = filepath.Join("..", "..", "shared", "data")
	}
	dir := filepath.Join(root, name)
	if _, err := os.Stat(dir); err != nil {
		t.Skip("no real data: ", err)
	}
	return dir
}

// The counts are those of the tables, taken with awk.
func TestRealReleases(t *testing.T) {
	for _, tc := range []struct {
		name                string
		concepts, relations int
	}{
		{"umls-samples/air", 633, 2_355}, // one more concept has no English name
		{"umls-samples/hier2016aa", 2_862, 29_222},
		{"open-kb", 388_495, 387_674},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, err := Open(sharedData(t, tc.name), Options{})
			if err != nil {
				t.Fatal(err)
			}
			concepts, relations := 0, 0
			for c, err := range r.Concepts(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				if concepts++; len(c.SemanticTypes) == 0 {
					t.Errorf("%s has no type", c.CUI)
				}
			}
			for _, err := range r.Relations(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				relations++
			}
			if concepts != tc.concepts || relations != tc.relations {
				t.Errorf("%d concepts and %d relations, want %d and %d", concepts, relations, tc.concepts, tc.relations)
			}
		})
	}
}
