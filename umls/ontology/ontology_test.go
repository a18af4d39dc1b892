package ontology

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/umls"
)

const cells = `format-version: 1.2
data-version: 2026-01-01
ontology: cl/cl-basic
property_value: dc-title "Cells" xsd:string
property_value: dcterms-license http://example.org/licence

[Term]
id: CL:1
name: cell
def: "A \"unit\" of life." [ref:1, ref\:2]
synonym: "cellula" EXACT LATIN []
synonym: "cellular" RELATED []
synonym: "tissue part" BROAD []
alt_id: CL:9
xref: UMLS:C0000001 "Cell"

[Term]
id: CL:2
name: red\, cell ! not a part of the name
is_a: CL:1 ! cell
relationship: part_of UB:7 {source="x"} ! blood
relationship: seen_by http://example.org/someone
relationship: in_taxon NCBITaxon:9606

[Term]
id: CL:3
name: old cell
is_obsolete: true
replaced_by: CL:2

[Typedef]
id: part_of
name: part of

[Typedef]
id: seen_by
is_metadata_tag: true
`

const tissues = `{"graphs": [{
 "nodes": [
  {"id": "http://purl.obolibrary.org/obo/UB_7", "lbl": "blood", "type": "CLASS", "meta": {
    "definition": {"val": "A fluid."},
    "synonyms": [{"pred": "hasExactSynonym", "val": "sanguis"}, {"pred": "hasNarrowSynonym", "val": "plasma"}],
    "xrefs": [{"val": "MESH:D1"}]}},
  {"id": "http://purl.obolibrary.org/obo/UB_8", "lbl": "cell (tissue)", "type": "CLASS", "meta": {
    "synonyms": [{"pred": "hasRelatedSynonym", "val": "cell"}], "xrefs": [{"val": "UMLS:C0000001"}]}},
  {"id": "http://purl.obolibrary.org/obo/UB_9", "lbl": "gone", "type": "CLASS", "meta": {"deprecated": true,
    "basicPropertyValues": [{"pred": "http://purl.obolibrary.org/obo/IAO_0100001", "val": "http://purl.obolibrary.org/obo/UB_7"}]}},
  {"id": "http://purl.obolibrary.org/obo/RO_1", "lbl": "has cell", "type": "PROPERTY"}
 ],
 "edges": [
  {"sub": "http://purl.obolibrary.org/obo/UB_8", "pred": "is_a", "obj": "http://purl.obolibrary.org/obo/UB_7"},
  {"sub": "http://purl.obolibrary.org/obo/UB_7", "pred": "http://purl.obolibrary.org/obo/RO_1", "obj": "http://purl.obolibrary.org/obo/CL_1"}
 ],
 "id": "http://purl.obolibrary.org/obo/ub.owl", "meta": {"version": "v7"}
}]}`

var testTypes = Types{"CL": {"T025"}, "UB": {"T023"}, "CL:2": {"T123"}}

// write writes files in order and gives their paths.
func write(t *testing.T, files ...string) (paths []string) {
	t.Helper()
	dir := t.TempDir()
	for i, content := range files {
		name := fmt.Sprintf("%c.obo", 'a'+i)
		if strings.HasPrefix(strings.TrimPrefix(content, "\uFEFF"), "{") {
			name = fmt.Sprintf("%c.json", 'a'+i)
		}
		paths = append(paths, filepath.Join(dir, name))
		if err := os.WriteFile(paths[i], []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return paths
}

func open(t *testing.T, options Options, files ...string) *Ontologies {
	t.Helper()
	if options.Types == nil {
		options.Types = testTypes
	}
	o, err := Open(t.Context(), write(t, files...), options)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func collect[T any](t *testing.T, seq iter.Seq2[T, error]) (list []T) {
	t.Helper()
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

// Two ontologies in two formats: the terms that name C0000001 are one concept.
func TestTwoOntologies(t *testing.T) {
	o := open(t, Options{}, cells, tissues)
	check(t, []graph.Concept{
		{
			CUI: "C0000001", Name: "cell", Synonyms: []string{"cellula", "cellular", "cell (tissue)"},
			SemanticTypes: []graph.TUI{"T023", "T025"}, Definition: `A "unit" of life.`, Sources: []string{"CL", "UB"},
			Codes: []graph.Code{{Source: "CL", Code: "CL:1"}, {Source: "UB", Code: "UB:8"}},
		},
		{CUI: "CL:2", Name: "red, cell", SemanticTypes: []graph.TUI{"T123"}, Sources: []string{"CL"}, Codes: []graph.Code{{Source: "CL", Code: "CL:2"}}},
		{
			CUI: "UB:7", Name: "blood", Synonyms: []string{"sanguis"}, SemanticTypes: []graph.TUI{"T023"}, Definition: "A fluid.",
			Sources: []string{"UB"}, Codes: []graph.Code{{Source: "UB", Code: "UB:7"}},
		},
	}, collect(t, o.Concepts(t.Context())))
	for range 2 {
		check(t, []graph.Relation{
			{Head: "CL:2", Label: "isa", Tail: "C0000001", Rel: "CHD", Sources: []string{"CL"}},
			{Head: "UB:7", Label: "has_cell", Tail: "C0000001", Rel: "RO", Sources: []string{"UB"}},
			{Head: "C0000001", Label: "isa", Tail: "UB:7", Rel: "CHD", Sources: []string{"UB"}},
			{Head: "CL:2", Label: "part_of", Tail: "UB:7", Rel: "RO", Sources: []string{"CL"}},
		}, collect(t, o.Relations(t.Context())))
	}
	check(t, []graph.Retired{
		{CUI: "CL:1", Into: "C0000001"}, {CUI: "CL:3", Into: "CL:2"}, {CUI: "CL:9", Into: "C0000001"},
		{CUI: "UB:8", Into: "C0000001"}, {CUI: "UB:9", Into: "UB:7"},
	}, collect(t, o.Retired(t.Context())))
	sources, err := o.Sources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	check(t, []graph.SourceInfo{
		{Abbreviation: "CL", Name: "Cells", Version: "2026-01-01", Licence: "http://example.org/licence"}, {Abbreviation: "UB", Version: "v7"},
	}, sources)
	check(t, []graph.SemanticType{{TUI: "T023", Name: "T023"}, {TUI: "T025", Name: "T025"}, {TUI: "T123", Name: "T123"}}, collect(t, o.SemanticTypes(t.Context())))
}

func TestScopes(t *testing.T) {
	o := open(t, Options{Scopes: []Scope{Broad}}, cells)
	check(t, []string{"tissue part"}, collect(t, o.Concepts(t.Context()))[0].Synonyms)
}

func TestTypesOfNearest(t *testing.T) {
	o := open(t, Options{Types: Types{"X": {"T001"}, "X:2": {"T002"}, "X:3": {"T003"}, "X:5": {"T005"}}},
		"[Term]\nid: X:1\nname: 1\n"+
			"[Term]\nid: X:2\nname: 2\nis_a: X:1\n[Term]\nid: X:3\nname: 3\nis_a: X:1\n"+
			"[Term]\nid: X:4\nname: 4\nis_a: X:2\nis_a: X:3\n"+ // both are as near
			"[Term]\nid: X:5\nname: 5\nis_a: X:4\n"+ // its own
			"[Term]\nid: X:6\nname: 6\nis_a: X:4\nis_a: X:5\n") // the nearer
	got := map[graph.CUI]string{}
	for _, c := range collect(t, o.Concepts(t.Context())) {
		got[c.CUI] = fmt.Sprint(c.SemanticTypes)
	}
	check(t, map[graph.CUI]string{
		"X:1": "[T001]", "X:2": "[T002]", "X:3": "[T003]", "X:4": "[T002 T003]", "X:5": "[T005]", "X:6": "[T005]",
	}, got)
}

// What is wrong is told with its place, and the rest is read.
func TestReport(t *testing.T) {
	node := func(rest string) string { return `{"graphs":[{"nodes":[` + rest + `],"edges":[]}]}` }
	for _, tc := range []struct {
		name     string
		files    []string
		want     []string // KIND FILE:LINE:COLUMN
		concepts int
	}{
		{"nothing", []string{cells, tissues}, nil, 3},
		{"empty", []string{"", cells}, []string{"empty a.obo"}, 2},
		{"no tag", []string{"[Term]\nid: CL:1\nname: a\nnonsense\n"}, []string{"malformed a.obo:4:1"}, 1},
		{"no quotation mark", []string{"[Term]\nid: CL:1\nname: a\nsynonym: \"b EXACT\n"}, []string{"malformed a.obo:4:10"}, 1},
		{"no blank", []string{"[Term]\nid: CL:1\nname: a\nrelationship: part_of\n"}, []string{"malformed a.obo:4:15"}, 1},
		{"no end of a stanza", []string{"[Term\nid: CL:1\n"}, []string{"malformed a.obo:1:1"}, 0},
		{"not UTF-8", []string{"[Term]\nid: CL:1\nname: a\nsynonym: \"é\xff\" EXACT\n"}, []string{"not UTF-8 a.obo:4:12"}, 1},
		{"no id", []string{"[Term]\nname: a\n\n[Term]\nid: CL:1\nname: b\n"}, []string{"bad value a.obo:1"}, 1},
		{"said again", []string{"[Term]\nid: CL:1\nname: a\n[Term]\nid: CL:1\nname: b\n"}, []string{"duplicate a.obo:4"}, 1},
		{"in two files", []string{"[Term]\nid: CL:1\nname: a\n", "[Term]\nid: CL:1\nname: b\n"}, nil, 1},
		{"two concepts", []string{"[Term]\nid: CL:1\nname: a\nxref: UMLS:C0000001\nxref: UMLS_CUI:C0000002\n"}, []string{"names two a.obo:5:7"}, 1},
		{"two, one equivalent", []string{"[Term]\nid: CL:1\nname: a\nxref: UMLS:C0000001\nxref: UMLS:C0000002 {source=\"MONDO:equivalentTo\"}\n"}, nil, 1},
		{"no concept", []string{"[Term]\nid: CL:1\nname: a\nxref: UMLS:C01\n"}, []string{"bad value a.obo:4:7"}, 1},
		{"a circle", []string{"[Term]\nid: CL:1\nname: a\nis_a: CL:2\n[Term]\nid: CL:2\nname: b\nis_a: CL:1\n"}, []string{"cycle a.obo:8:7"}, 2},
		{"unknown end", []string{"[Term]\nid: CL:1\nname: a\nis_a: CL:7\nis_a: X:7\n"}, []string{"unknown end a.obo:4:7"}, 1},
		{"no types", []string{"[Term]\nid: X:1\nname: a\n[Term]\nid: X:2\nname: b\n"}, []string{"no semantic type a.obo:1"}, 2},
		{"no JSON", []string{"{\"graphs\":\n [}"}, []string{"cut off a.json:2:4"}, 0},
		{"no graph", []string{"{\"graphs\": 7}"}, []string{"cut off a.json:1:13"}, 0},
		{"a comma too many", []string{strings.Replace(tissues, `"type": "PROPERTY"}`, `"type": "PROPERTY"},`, 1)}, []string{"cut off a.json:11:88"}, 2},
		{"a byte order mark", []string{cells, "\uFEFF" + tissues}, nil, 3},
		{"a version that is a number", []string{`{"graphs":[{"id":7,"meta":{"version":2024},` + "\n" + `"nodes":[{"id":"CL:1","lbl":"a"}]}]}`}, []string{"malformed a.json:1:17", "malformed a.json:1:26"}, 1},
		{"cut JSON", []string{tissues[:900]}, []string{"cut off a.json:14:3"}, 2},
		{"wrong type", []string{node("\n{\"id\":7},\n{\"id\":\"CL:1\",\"lbl\":\"a\"}")}, []string{"malformed a.json:2:1"}, 1},
		{"JSON not UTF-8", []string{node("{\"id\":\"CL:2\",\"lbl\":\"\xff\"},{\"id\":\"CL:1\",\"lbl\":\"a\"}")}, []string{"not UTF-8 a.json:1:22"}, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var problems []string
			o := open(t, Options{Report: func(p *umls.Problem) error {
				place := filepath.Base(strings.TrimSuffix(p.Error(), ": "+p.Message))
				problems = append(problems, fmt.Sprintf("%s %s", p.Kind, place))
				return nil
			}}, tc.files...)
			for range 2 { // the second reading tells nothing again
				if n := len(collect(t, o.Concepts(t.Context()))); n != tc.concepts {
					t.Errorf("%d concepts, want %d", n, tc.concepts)
				}
				collect(t, o.Relations(t.Context()))
			}
			check(t, tc.want, problems)
		})
	}
}

func TestStrict(t *testing.T) {
	list := umls.Problems{Strict: true}
	_, err := Open(t.Context(), write(t, "[Term]\nid: CL:1\nname: a\nnonsense\n"), Options{Report: list.Report})
	if err == nil || !strings.Contains(err.Error(), "a.obo:4:1: ") {
		t.Errorf("error %v", err)
	}
}

// TestLineTooLong: it is told by its own number.
func TestLineTooLong(t *testing.T) {
	_, err := Open(t.Context(), write(t, "[Term]\nid: CL:1\nname: "+strings.Repeat("a", longestLine)+"\n"), Options{})
	if err == nil || !strings.Contains(err.Error(), "a.obo:3") || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("error %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"none.obo", "thesis.txt"} {
		if _, err := Open(t.Context(), []string{filepath.Join(dir, name)}, Options{}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPacked(t *testing.T) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write([]byte(cells))
	w.Close()
	for name, tc := range map[string]struct {
		content []byte
		cut     bool
	}{
		"whole": {b.Bytes(), false}, "cut": {b.Bytes()[:b.Len()-9], true}, "header": {b.Bytes()[:4], true},
	} {
		path := filepath.Join(t.TempDir(), "a.obo.gz")
		if err := os.WriteFile(path, tc.content, 0o644); err != nil {
			t.Fatal(err)
		}
		var list umls.Problems
		_, err := Open(t.Context(), []string{path}, Options{Types: testTypes, Report: list.Report})
		var problem *umls.Problem
		if errors.As(err, &problem) != tc.cut || tc.cut && problem.Kind != umls.CutOff || list.Total() != 0 {
			t.Errorf("%s: %v, %d problems", name, err, list.Total())
		}
	}
}

func TestReadTypes(t *testing.T) {
	types, err := ReadTypes("x", strings.NewReader("\uFEFFX\tT001\n# nothing\n\ncl\tt025, T002,T025 # Cell\nCL:1\tT001\n"))
	if err != nil {
		t.Fatal(err)
	}
	check(t, Types{"X": {"T001"}, "CL": {"T002", "T025"}, "CL:1": {"T001"}}, types)
	for text, want := range map[string]string{
		"CL T025\n": "x:1:8: ", "\nCL\tcell\n": "x:2:4: ", "CL\tT025\nCL\tT001\n": "x:2:1: ", "CL\t": "x:1:4: ",
	} {
		if _, err := ReadTypes("x", strings.NewReader(text)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	if types, err := DefaultTypes(); err != nil || len(types) < 30 {
		t.Error(len(types), err)
	}
}

// The counts are those of the files, taken with grep: terms less obsolete ones.
func TestRealOntologies(t *testing.T) {
	root := os.Getenv("KECI_SHARED_DATA")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared", "data")
	}
	dir := filepath.Join(root, "ontologies")
	if _, err := os.Stat(dir); err != nil || testing.Short() {
		t.Skip("no real data, or they take too long: ", err)
	}
	for name, terms := range map[string]int{
		"cl-basic.obo": 2804 - 160, "doid.obo": 9344 - 2373, "hp.obo": 11030 - 58, "chebi_import.json": 1584 - 1, // one has no name
	} {
		t.Run(name, func(t *testing.T) {
			var list umls.Problems
			o, err := Open(t.Context(), []string{filepath.Join(dir, name)}, Options{Report: list.Report})
			if err != nil {
				t.Fatal(err)
			}
			mapping, err := DefaultTypes()
			if err != nil {
				t.Fatal(err)
			}
			for id := range mapping {
				if _, isTerm := o.index.find(id); !isTerm && o.index.prefixes[prefix(id)] {
					t.Errorf("the mapping in the program names %s, which is no term", id)
				}
			}
			codes, untyped := 0, 0
			for _, c := range collect(t, o.Concepts(t.Context())) {
				codes += len(c.Codes)
				if len(c.SemanticTypes) == 0 {
					untyped++
				}
			}
			relations := collect(t, o.Relations(t.Context()))
			var problems strings.Builder
			if err := list.Write(&problems); err != nil {
				t.Fatal(err)
			}
			t.Logf("%d terms, %d relations, %d without a type\n%s", codes, len(relations), untyped, problems.String())
			if codes != terms || len(relations) < 1000 || untyped > terms/100 {
				t.Errorf("%d terms, want %d; %d relations; %d without a type", codes, terms, len(relations), untyped)
			}
		})
	}
}
