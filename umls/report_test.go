package umls

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/keci-kg/keci/graph"
)

// readReported reads everything of a release and gives the problems, as KIND FILE:LINE:COLUMN.
func readReported(t *testing.T, files map[string]string) (problems []string, concepts []graph.Concept) {
	t.Helper()
	var list Problems
	dir := writeRelease(t, files)
	r, err := Open(dir, Options{Report: func(p *Problem) error {
		place := strings.TrimSuffix(strings.TrimPrefix(p.Error(), dir+string(filepath.Separator)), ": "+p.Message)
		problems = append(problems, fmt.Sprintf("%s %s", p.Kind, filepath.ToSlash(place)))
		return list.Report(p)
	}})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second reading tells nothing again
		concepts = collect(t, r.Concepts(t.Context()))
		collect(t, r.Relations(t.Context()))
		collect(t, r.TypeRelations(t.Context()))
		collect(t, r.SemanticTypes(t.Context()))
		collect(t, r.Retired(t.Context()))
	}
	if list.Total() != len(problems) {
		t.Errorf("%d of %d problems counted", list.Total(), len(problems))
	}
	return problems, concepts
}

// Without Strict, rows with problems are told of and passed over.
func TestReport(t *testing.T) {
	conso, rel := small["META/MRCONSO.RRF"], small["META/MRREL.RRF"]
	for _, tc := range []struct {
		name, file, content string
		want                []string
	}{
		{"none", "META/MRCONSO.RRF", conso, nil},
		{"a column too few", "META/MRCONSO.RRF", strings.Replace(conso, "|0|N||", "|0|N|", 1), []string{"malformed META/MRCONSO.RRF:1"}},
		{"not UTF-8", "META/MRCONSO.RRF", strings.Replace(conso, "tablet", "t\xffblet", 1), []string{"not UTF-8 META/MRCONSO.RRF:1:15"}},
		{"no name", "META/MRCONSO.RRF", strings.Replace(conso, "aspirin tablet", "", 1), []string{"bad value META/MRCONSO.RRF:1:15"}},
		{"endless line", "META/MRCONSO.RRF", strings.Repeat("x", 3<<20) + "\n" + conso, []string{"malformed META/MRCONSO.RRF:1"}},
		{"no last line feed", "META/MRCONSO.RRF", conso[:len(conso)-1], nil},
		{"a byte order mark", "META/MRCONSO.RRF", "\uFEFF" + conso, nil},
		{"empty lines", "META/MRCONSO.RRF", strings.Replace(conso, "\n", "\n\r\n", 1) + "\n", nil},
		{"nothing but an empty line", "META/MRDEF.RRF", "\n", []string{"empty META/MRDEF.RRF"}},
		{"said again", "META/MRSTY.RRF", doubled(small["META/MRSTY.RRF"], 1), []string{"duplicate META/MRSTY.RRF:3"}},
		{"unknown tail", "META/MRREL.RRF", strings.Replace(rel, "C0000001|A2", "C0000000|A2", 1), []string{"unknown end META/MRREL.RRF:1:1"}},
		{"unknown head", "META/MRREL.RRF", strings.Replace(rel, "C0000003", "C0000009", 1), []string{"unknown end META/MRREL.RRF:5:5"}},
		{"a tab in a concept", "META/MRCONSO.RRF", strings.Replace(conso, "C0000001|", "C0000001\t|", 1), []string{"bad value META/MRCONSO.RRF:1:1"}},
		{"no row of a concept", "META/MRSTY.RRF", strings.SplitAfterN(small["META/MRSTY.RRF"], "\n", 3)[2], []string{"no semantic type META/MRSTY.RRF"}},
		{"no type", "META/MRSTY.RRF", strings.Replace(small["META/MRSTY.RRF"], "T109", "", 1), []string{"bad value META/MRSTY.RRF:2:2"}},
		{"no head", "META/MRREL.RRF", strings.Replace(rel, "C0000003", "", 1), []string{"bad value META/MRREL.RRF:5:5"}},
		{"no label", "META/MRREL.RRF", strings.Replace(rel, "SIB", "", 1), []string{"bad value META/MRREL.RRF:5:4"}},
		{"no retired concept", "META/MRCUI.RRF", "|1999|RB||x|C0000001|Y|\n", []string{"bad value META/MRCUI.RRF:1:1"}},
		{"no deleted concept", "META/CHANGE/DELETEDCUI.RRF", "|gone|\n", []string{"bad value META/CHANGE/DELETEDCUI.RRF:1:1"}},
		{"empty", "META/MRDEF.RRF", "", []string{"empty META/MRDEF.RRF"}},
		{"unknown relation", "NET/SRSTRE1", "T121|T999|T126|\n", []string{"bad value NET/SRSTRE1:1:2"}},
		{"no rank", "META/MRRANK.RRF", "first|MSH|PT|N|\n", []string{"bad value META/MRRANK.RRF:1:1"}},
		{"too few rows", "META/MRFILES.RRF", "MRSTY.RRF|Types|CUI,TUI,STN,STY,ATUI,CVF|6|7|999|\n", []string{"row count META/MRSTY.RRF"}},
		{"as many rows, and an empty line", "META/MRFILES.RRF", "MRSTY.RRF|Types|CUI,TUI,STN,STY,ATUI,CVF|6|5|999|\n\n", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			problems, concepts := readReported(t, with(small, tc.file, tc.content))
			check(t, tc.want, problems)
			if len(concepts) != 3 {
				t.Errorf("%d concepts", len(concepts))
			}
		})
	}
}

// A problem that only one of several readings of a table looks for is told of, though an
// earlier one told of another that comes later.
func TestReportOfSeveralReadings(t *testing.T) {
	conso := strings.Replace(small["META/MRCONSO.RRF"], "aspirin tablet", "", 1) + "|ENG|P|L9|PF|S9|Y|A10||||MSH|PT|D4|of nothing|0|N||\n"
	var lines []int
	r := open(t, with(small, "META/MRCONSO.RRF", conso), Options{Report: func(p *Problem) error {
		lines = append(lines, p.Line)
		return nil
	}})
	if _, err := r.ConceptsOfCodes(t.Context(), func(string) bool { return true }); err != nil {
		t.Fatal(err)
	}
	collect(t, r.Concepts(t.Context()))
	check(t, []int{11, 1}, lines)
}

// A language or source of which there is no name, or a semantic type that no concept has,
// is not passed over without a word.
func TestAskedForWhatIsNotThere(t *testing.T) {
	var told []string
	r := open(t, small, Options{Languages: []string{"ENG", "eng"}, Sources: []string{"MSH", "SNOMEDCT", "CHEBI"}, Report: func(p *Problem) error {
		told = append(told, p.Message)
		return nil
	}})
	if concepts := collect(t, r.Concepts(t.Context())); len(concepts) != 3 {
		t.Errorf("%d concepts", len(concepts))
	}
	check(t, []string{"no name is of eng, SNOMEDCT"}, told)
	told = nil
	r = open(t, small, Options{Types: []graph.TUI{"T126", "T47", "t126"}, Report: func(p *Problem) error {
		told = append(told, p.Message)
		return nil
	}})
	collect(t, r.Concepts(t.Context()))
	check(t, []string{"no concept is of the semantic type T47, t126"}, told)
}

// doubled says a line (from 0) twice.
func doubled(text string, line int) string {
	lines := strings.SplitAfter(text, "\n")
	return strings.Join(slices.Insert(lines, line, lines[line]), "")
}

func TestStrict(t *testing.T) {
	list := Problems{Strict: true}
	r := open(t, with(small, "META/MRSTY.RRF", doubled(small["META/MRSTY.RRF"], 0)), Options{Report: list.Report})
	for range 2 {
		if err := first(r.Concepts(t.Context())); err == nil || !strings.Contains(err.Error(), "MRSTY.RRF:2: the row is the same") {
			t.Errorf("error %v", err)
		}
	}
}

func TestProblemsAreListed(t *testing.T) {
	var list Problems
	for line := range 7 {
		list.Report(&Problem{BadValue, "b", line + 1, 3, "bad"})
	}
	list.Report(&Problem{Empty, "a", 0, 0, "nothing in it"})
	var text strings.Builder
	if err := list.Write(&text); err != nil {
		t.Fatal(err)
	}
	check(t, `a: empty: 1
  a: nothing in it
b: bad value: 7
  b:1:3: bad
  b:2:3: bad
  b:3:3: bad
  b:4:3: bad
  b:5:3: bad
  and 2 more
`, text.String())
}

// A table that ends in the middle of a row is no table with a bad row.
func TestCutTable(t *testing.T) {
	conso := small["META/MRCONSO.RRF"]
	for _, list := range []*Problems{{}, {Strict: true}} {
		r := open(t, with(small, "META/MRCONSO.RRF", conso[:len(conso)-20]), Options{Report: list.Report})
		var problem *Problem
		if err := first(r.Concepts(t.Context())); !errors.As(err, &problem) || problem.Kind != CutOff || problem.Line != 10 {
			t.Errorf("error %v", err)
		}
	}
}

// A cut gzip gives the rows before the cut.
func TestCutGzipReported(t *testing.T) {
	var rows, types strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&types, "C%07d|T126|A1.4.1.1.3.3|Enzyme|AT||\n", i)
		fmt.Fprintf(&rows, "C%07d|ENG|P|L|PF|S|Y|A||||MSH|PT|D%d|name %d|0|N||\n", i, i*7919, i*104729)
	}
	dir := writeRelease(t, with(without(small, "META/MRCONSO.RRF", "META/MRREL.RRF"), "META/MRSTY.RRF", types.String()))
	whole := packed(rows.String())
	if err := os.WriteFile(filepath.Join(dir, "META", "MRCONSO.RRF.gz"), whole[:len(whole)/2], 0o644); err != nil {
		t.Fatal(err)
	}
	var problems []*Problem
	r, err := Open(dir, Options{Report: func(p *Problem) error { problems = append(problems, p); return nil }})
	if err != nil {
		t.Fatal(err)
	}
	concepts := collect(t, r.Concepts(t.Context()))
	if len(problems) != 1 || problems[0].Kind != CutOff || problems[0].Line != len(concepts)+1 || len(concepts) < 1000 {
		t.Errorf("%d concepts, problems %v", len(concepts), problems)
	}
}

// A table split within a row, each piece packed, as in the files of a full release.
func TestSplitTable(t *testing.T) {
	want := collect(t, open(t, small, Options{}).Concepts(t.Context()))
	conso := small["META/MRCONSO.RRF"]
	files := without(small, "META/MRCONSO.RRF")
	files["META/MRCONSO.RRF.aa.gz"], files["META/MRCONSO.RRF.ab.gz"], files["META/MRCONSO.RRF.ac.gz"] = conso[:100], conso[100:107], conso[107:]
	check(t, want, collect(t, open(t, files, Options{}).Concepts(t.Context())))

	_, err := Open(writeRelease(t, without(files, "META/MRCONSO.RRF.ab.gz")), Options{})
	if err == nil || !strings.Contains(err.Error(), "MRCONSO.RRF.ab.gz is missing") {
		t.Errorf("without a piece: %v", err)
	}
}

// MRFILES may give the columns in another order, leave some out and add others.
func TestColumnsOfMRFILES(t *testing.T) {
	files := with(small, "META/MRFILES.RRF", "MRSTY.RRF|Types|NEW,TUI,STY,CUI|4|5|999|\nCHANGE/MRSAB.RRF||||||\n")
	files["META/MRSTY.RRF"] = `x|T121|Pharmacologic Substance|C0000001|
x|T109|Organic Chemical|C0000001|
x|T126|Enzyme|C0000002|
x|T126|Enzyme|C0000003|
x|T126|Enzyme|C0000004|
`
	check(t, collect(t, open(t, small, Options{}).Concepts(t.Context())), collect(t, open(t, files, Options{}).Concepts(t.Context())))

	files["META/MRFILES.RRF"] = "MRSTY.RRF|Types|NEW,TUI,STY|3|5|999|\n"
	_, err := Open(writeRelease(t, files), Options{})
	if err == nil || !strings.Contains(err.Error(), "MRFILES.RRF:1:3: MRFILES names no column CUI for MRSTY.RRF") {
		t.Errorf("without a needed column: %v", err)
	}
}

func TestRank(t *testing.T) {
	files := with(small, "META/MRRANK.RRF", "0003|CHEBI|PT|N|\n0002|MSH|PT|N|\n0001|CHEBI|SY|N|\n")
	concepts := collect(t, open(t, files, Options{Types: []graph.TUI{"T121"}}).Concepts(t.Context()))
	if c := concepts[0]; c.Name != "acetylsalicylic acid" || c.Definition != "A benzoic acid." {
		t.Errorf("%+v", c)
	}
	files = with(files, "META/MRRANK.RRF", "0003|MSH|PT|N|\n0002|CHEBI|PT|N|\n0001|CHEBI|SY|N|\n")
	concepts = collect(t, open(t, files, Options{Types: []graph.TUI{"T121"}}).Concepts(t.Context()))
	if c := concepts[0]; c.Name != "Aspirin" || c.Definition != "The second." {
		t.Errorf("%+v", c)
	}
}

func TestSemanticGroups(t *testing.T) {
	files := with(small, "NET/SemGroups.txt", "CHEM|Chemicals & Drugs|T126|Enzyme\nCHEM|Chemicals & Drugs|T109|Organic Chemical")
	var got []string
	for _, st := range collect(t, open(t, files, Options{}).SemanticTypes(t.Context())) {
		got = append(got, string(st.TUI)+st.Group)
	}
	check(t, []string{"T109CHEM", "T121", "T126CHEM"}, got)
}

func TestInheritedRelationsByName(t *testing.T) {
	files := without(small, "NET/SRSTRE1")
	files["NET/SRSTRE2"] = "Organic Chemical|affects|Enzyme|\n"
	check(t, []graph.TypeRelation{{Head: "T109", Label: "affects", Tail: "T126"}}, collect(t, open(t, files, Options{}).TypeRelations(t.Context())))
}

func TestRetired(t *testing.T) {
	files := with(small, "META/MRCUI.RRF", `C0000010|2019AB|RO||x|C0000002|Y|
C0000010|2019AB|SY||x|C0000003|Y|
C0000011|2000|DEL|||||
C0000012|1999|RB||x|C0000001|Y|
`)
	files["META/CHANGE/DELETEDCUI.RRF"] = "C0000011|gone|\nC0000013|gone too|\n"
	check(t, []graph.Retired{
		{CUI: "C0000010", Into: "C0000003", Release: "2019AB"}, {CUI: "C0000011", Release: "2000"},
		{CUI: "C0000012", Release: "1999"}, {CUI: "C0000013"},
	}, collect(t, open(t, files, Options{}).Retired(t.Context())))
}
