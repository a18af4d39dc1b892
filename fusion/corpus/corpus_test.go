package corpus

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// write puts content in a file and returns its path.
func write(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "corpus.json")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// withoutPlaces compares corpora that were read from different files.
var withoutPlaces = cmpopts.IgnoreFields(Example{}, "File", "Line")

// The text has 2-byte and 4-byte characters before the mentions, a cluster with
// two names, a name that is not mentioned, a nested mention, a pair annotated
// twice, and two clusters that interact with themselves.
const bioRelExFile = `[{
  "id": "s1", "paperid": "p1", "text": "β𝛼 TNF (tumor factor) binds NF-κB p50, TNF.",
  "entities": [
    {"label": "protein", "names": {
      "TNF": {"is_mentioned": true, "mentions": [[3, 6], [39, 42]]},
      "tumor factor": {"is_mentioned": true, "mentions": [[8, 20]]},
      "cachectin": {"is_mentioned": false, "mentions": []}}},
    {"label": "protein", "names": {"p50": {"is_mentioned": true, "mentions": [[34, 37]]}}},
    {"label": "protein-complex", "names": {"NF-κB p50": {"is_mentioned": true, "mentions": [[28, 37]]}}}
  ],
  "interactions": [
    {"participants": [2, 0], "type": "bind", "label": 0, "implicit": false},
    {"participants": [0, 2], "type": "bind", "label": -1, "implicit": true},
    {"participants": [0, 0], "type": "bind", "label": 1},
    {"participants": [1, 1], "type": "bind", "label": 1}
  ]}]`

func TestReadBioRelEx(t *testing.T) {
	got, err := Read(BioRelEx, write(t, bioRelExFile))
	if err != nil {
		t.Fatal(err)
	}
	want := Corpus{
		Name: BioRelEx, Sentences: true,
		Examples: []Example{{
			ID: "s1", Group: "p1", Text: "β𝛼 TNF (tumor factor) binds NF-κB p50, TNF.",
			Entities: []Entity{
				{7, 10, "protein", 0, nil}, {12, 24, "protein", 0, nil}, {32, 42, "protein-complex", 2, nil},
				{39, 42, "protein", 1, nil}, {44, 47, "protein", 0, nil},
			},
			Relations: []Relation{
				{0, 1, "bind"}, {0, 2, "bind-negated"}, {0, 4, "bind"}, {1, 2, "bind-negated"},
				{1, 4, "bind"}, {2, 4, "bind-negated"},
			},
			Interactions: []Interaction{{2, 0, "bind-uncertain"}, {0, 2, "bind-negated"}, {0, 0, "bind"}, {1, 1, "bind"}},
		}},
		EntityTypes:    []string{"protein", "protein-complex"},
		RelationLabels: []string{"bind", "bind-negated"},
	}
	if diff := cmp.Diff(want, got, withoutPlaces); diff != "" {
		t.Errorf("Read (-want +got):\n%s", diff)
	}
}

func TestReadADE(t *testing.T) {
	got, err := Read(ADE, write(t, `[
		{"tokens": ["Naïve", "use", "of", "β-blocker", "pills", ":", "asthma", "."],
		 "entities": [{"type": "Adverse-Effect", "start": 6, "end": 7}, {"type": "Drug", "start": 3, "end": 5}, {"type": "Drug", "start": 3, "end": 4}],
		 "relations": [{"type": "Adverse-Effect", "head": 0, "tail": 2}, {"type": "Adverse-Effect", "head": 0, "tail": 1}], "orig_id": 17},
		{"tokens": ["None", "."], "entities": [], "relations": [], "orig_id": "abc"},
		{"tokens": ["None", "."], "entities": [], "relations": []}]`))
	if err != nil {
		t.Fatal(err)
	}
	const text = "Naïve use of β-blocker pills : asthma ."
	want := Corpus{
		Name: ADE,
		Examples: []Example{
			{
				ID: "17", Text: text, Group: text,
				Entities: []Entity{{14, 24, "Drug", 0, nil}, {14, 30, "Drug", 1, nil}, {33, 39, "Adverse-Effect", 2, nil}},
				Relations: []Relation{
					{2, 0, "Adverse-Effect"}, {2, 1, "Adverse-Effect"},
				},
			},
			{ID: "abc", Text: "None .", Group: "None ."},
			{ID: "2", Text: "None .", Group: "None ."},
		},
		EntityTypes:    []string{"Adverse-Effect", "Drug"},
		RelationLabels: []string{"Adverse-Effect"},
		Directed:       true,
		Sentences:      true,
	}
	if diff := cmp.Diff(want, got, withoutPlaces); diff != "" {
		t.Errorf("Read (-want +got):\n%s", diff)
	}
}

func TestReadDamaged(t *testing.T) {
	const (
		empty    = `{"id":"a","paperid":"p","text":"TNF"}`
		sentence = `[` + empty + `,{"id":"b","paperid":"p","text":"TNF α","entities":[{"label":"protein","names":%s}],"interactions":[%s]}]`
		tnf      = `{"TNF":{"is_mentioned":true,"mentions":[[0,3]]}}`
		tokens   = `[{"tokens":["a","b"],"orig_id":5,"entities":[%s],"relations":[%s]}]`
		drug     = `{"type":"Drug","start":0,"end":1}`
	)
	tests := []struct {
		about, corpus, file string
		want                []string // parts of the error
	}{
		{"unknown corpus", "ace", `[]`, []string{`"ace"`, "biorelex", "ade"}},
		{"not JSON", BioRelEx, `hello`, []string{"corpus.json", "not a JSON array"}},
		{"an object", ADE, `{}`, []string{"corpus.json", "not a JSON array"}},
		{"empty file", ADE, ``, []string{"not a JSON array"}},
		{"cut off in a record", BioRelEx, "[" + empty + ",\n{\"id\":", []string{"corpus.json:2: record 1"}},
		{"cut off between records", BioRelEx, "[" + empty, []string{"record 1", "unexpected end"}},
		{"something behind", ADE, "[]\n[]", []string{"corpus.json:2: there is more behind"}},
		{"wrong type", BioRelEx, `[{"id":5}]`, []string{"record 0", "id", "string"}},
		{"no id", BioRelEx, `[{"text":"x"}]`, []string{"record 0", "id is missing"}},
		{"no text", BioRelEx, `[{"id":"a"}]`, []string{"record 0", `"a"`, "text is missing"}},
		{"same id", BioRelEx, "[" + empty + "," + empty + "]", []string{"corpus.json:1:", `"a"`, "taken by the text at"}},
		{"span outside", BioRelEx, fmt.Sprintf(sentence, `{"TNF":{"is_mentioned":true,"mentions":[[0,3],[4,6]]}}`, ""), []string{"record 1", `"b"`, "entities[0]", `names["TNF"]`, "mentions[1]", "[4 6]", "5 code points"}},
		{"span empty", BioRelEx, fmt.Sprintf(sentence, `{"TNF":{"is_mentioned":true,"mentions":[[3,3]]}}`, ""), []string{"mentions[0]", "empty"}},
		{"span of three", BioRelEx, fmt.Sprintf(sentence, `{"TNF":{"is_mentioned":true,"mentions":[[0,3,4]]}}`, ""), []string{"3 members"}},
		{"span of another name", BioRelEx, fmt.Sprintf(sentence, `{"TNF":{"is_mentioned":true,"mentions":[[1,4]]}}`, ""), []string{`"NF "`, `"TNF"`}},
		{"mentioned nowhere", BioRelEx, fmt.Sprintf(sentence, `{"TNF":{"is_mentioned":true,"mentions":[]}}`, ""), []string{`names["TNF"]`, "empty"}},
		{"no label", BioRelEx, `[{"id":"a","text":"x","entities":[{"names":{}}]}]`, []string{"entities[0]", "label"}},
		{"unknown participant", BioRelEx, fmt.Sprintf(sentence, tnf, `{"participants":[0,1],"type":"bind","label":1}`), []string{"interactions[0]", "entity 1", "1 entities"}},
		{"three participants", BioRelEx, fmt.Sprintf(sentence, tnf, `{"participants":[0,0,0],"type":"bind","label":1}`), []string{"3 members"}},
		{"unknown label", BioRelEx, fmt.Sprintf(sentence, tnf, `{"participants":[0,0],"type":"bind","label":2}`), []string{"interactions[0]", "label is 2"}},
		{"untyped interaction", BioRelEx, fmt.Sprintf(sentence, tnf, `{"participants":[0,0],"label":1}`), []string{"interactions[0]", "type is missing"}},
		{"no tokens", ADE, `[{"orig_id":5}]`, []string{"record 0", `"5"`, "tokens"}},
		{"empty token", ADE, `[{"tokens":["a",""],"orig_id":5}]`, []string{"tokens[1]"}},
		{"id of another kind", ADE, `[{"tokens":["a"],"orig_id":[1]}]`, []string{"record 0", "orig_id", "[1]"}},
		{"id that the index gave", ADE, `[{"tokens":["a"],"orig_id":1},{"tokens":["a"]}]`, []string{`"1"`, "taken by the text at"}},
		{"entity outside", ADE, fmt.Sprintf(tokens, drug+`,{"type":"Drug","start":1,"end":3}`, ""), []string{"entities[1]", "[1 3]", "2 tokens"}},
		{"entity without type", ADE, fmt.Sprintf(tokens, `{"start":0,"end":1}`, ""), []string{"entities[0]", "type is missing"}},
		{"unknown tail", ADE, fmt.Sprintf(tokens, drug, `{"type":"x","head":0,"tail":1}`), []string{"relations[0]", "tail 1"}},
		{"relation without type", ADE, fmt.Sprintf(tokens, drug, `{"head":0,"tail":0}`), []string{"relations[0]", "type is missing"}},
	}
	for _, test := range tests {
		t.Run(test.about, func(t *testing.T) {
			_, err := Read(test.corpus, write(t, test.file))
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
	if _, err := Read(ADE, write(t, "[]")); !errors.Is(err, ErrEmpty) || !strings.Contains(err.Error(), "corpus.json") {
		t.Errorf("empty corpus: %v", err)
	}
	if _, err := Read(ADE, filepath.Join(t.TempDir(), "absent.json")); err == nil || !strings.Contains(err.Error(), "absent.json") {
		t.Errorf("absent file: %v", err)
	}
}

// TestSkipInvalid passes over what is wrong, names it, and keeps the rest.
func TestSkipInvalid(t *testing.T) {
	path := write(t, `[{"tokens": ["a"], "orig_id": 1},
 {"tokens": ["a"], "orig_id": 2, "entities": [{"type": "Drug", "start": 0, "end": 2}]},
 {"tokens": "a", "orig_id": 3},
 {"tokens": ["a"], "orig_id": 1},

 {"tokens": ["b"], "orig_id": 5}]`)
	var invalid []string
	got, err := Reader{Invalid: func(err error) { invalid = append(invalid, err.Error()) }}.Read(ADE, path)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Examples) != 2 || got.Examples[1].ID != "5" || got.Examples[1].Place() != path+":6" {
		t.Errorf("examples %+v, want 1 and 5", got.Examples)
	}
	if len(invalid) != 3 {
		t.Fatalf("invalid: %q, want three", invalid)
	}
	for i, line := range []string{":2: ", ":3: ", ":4: "} {
		if !strings.HasPrefix(invalid[i], path+line) {
			t.Errorf("%q does not begin with file and line%s", invalid[i], line)
		}
	}
	if _, err := (Reader{Invalid: func(error) {}}).Read(ADE, write(t, `[{"tokens": ["a"]}, {"tok`)); err == nil {
		t.Error("a file that is cut off is read without error")
	}
}

// grouped makes a corpus of the given groups, one letter for each example.
func grouped(groups string) Corpus {
	c := Corpus{Name: "test", EntityTypes: []string{"x"}}
	for i, g := range groups {
		c.Examples = append(c.Examples, Example{ID: fmt.Sprint(i), Group: string(g)})
	}
	return c
}

func groups(c Corpus) string {
	var b strings.Builder
	for _, e := range c.Examples {
		b.WriteString(e.Group)
	}
	return b.String()
}

func TestSplit(t *testing.T) {
	c := grouped("aabcdeffghij")
	tests := []struct {
		fraction      float64
		seed          int64
		rest, heldOut string
	}{
		{0, 1, "aabcdeffghij", ""},
		{1, 1, "", "aabcdeffghij"},
		// The choice is a promise: who repeats a training run must hold out the same.
		{0.25, 1, "aabdeffhi", "cgj"},
		{0.25, 2, "aabcdeghj", "ffi"},
	}
	for _, test := range tests {
		rest, heldOut := c.Split(test.fraction, test.seed)
		if groups(rest) != test.rest || groups(heldOut) != test.heldOut {
			t.Errorf("Split(%g, %d) = %q, %q, want %q, %q", test.fraction, test.seed, groups(rest), groups(heldOut), test.rest, test.heldOut)
		}
		if rest.Name != "test" || len(heldOut.EntityTypes) != 1 {
			t.Errorf("Split(%g, %d) loses the name or the labels", test.fraction, test.seed)
		}
	}
}

func TestFold(t *testing.T) {
	c := grouped("aabcdeffghij")
	seen := ""
	for fold := range 3 {
		train, test := c.Fold(fold, 3, 1)
		if len(test.Examples) != 4 || len(train.Examples) != 8 {
			t.Errorf("fold %d has %d and %d examples, want 8 and 4", fold, len(train.Examples), len(test.Examples))
		}
		for _, g := range groups(test) {
			if strings.ContainsRune(groups(train), g) {
				t.Errorf("fold %d: group %c is on both sides", fold, g)
			}
		}
		seen += groups(test)
	}
	if len(seen) != len(c.Examples) {
		t.Errorf("the folds hold %q, want each example once", seen)
	}
	_, again := c.Fold(0, 3, 1)
	_, other := c.Fold(0, 3, 2)
	if !strings.HasPrefix(seen, groups(again)) || strings.HasPrefix(seen, groups(other)) {
		t.Errorf("the same seed gives %q, another %q, where all were %q", groups(again), groups(other), seen)
	}
}

func TestInSentences(t *testing.T) {
	c := Corpus{Name: "jsonl", Examples: []Example{{
		ID: "d", Group: "g", File: "f", Line: 3, Text: "A binds B. It inhibits C. A acts.",
		Entities:  []Entity{{0, 1, "x", 0, nil}, {8, 9, "x", 1, nil}, {8, 13, "x", 2, nil}, {23, 24, "x", 3, nil}, {26, 27, "x", 0, nil}},
		Relations: []Relation{{0, 1, "bind"}, {0, 3, "inhibit"}, {1, 2, "bind"}},
	}}}
	got, lost := c.InSentences()
	want := []Example{
		{ID: "d#1", Group: "g", File: "f", Line: 3, In: Part{c.Examples[0].Text, 0}, Text: "A binds B.", Entities: []Entity{{0, 1, "x", 0, nil}, {8, 9, "x", 1, nil}}, Relations: []Relation{{0, 1, "bind"}}},
		{ID: "d#2", Group: "g", File: "f", Line: 3, In: Part{c.Examples[0].Text, 11}, Text: "It inhibits C.", Entities: []Entity{{12, 13, "x", 3, nil}}},
		{ID: "d#3", Group: "g", File: "f", Line: 3, In: Part{c.Examples[0].Text, 26}, Text: "A acts.", Entities: []Entity{{0, 1, "x", 0, nil}}},
	}
	if diff := cmp.Diff(want, got.Examples); diff != "" {
		t.Errorf("InSentences (-want +got):\n%s", diff)
	}
	if lost != (Lost{Entities: 1, Relations: 2}) {
		t.Errorf("lost %+v, want one entity and two relations", lost)
	}
	again, lost := got.InSentences()
	if len(again.Examples) != 3 || lost != (Lost{}) {
		t.Errorf("cut again: %d examples, lost %+v", len(again.Examples), lost)
	}
}

// TestInWindows: what lies in several windows is in each of them, and is lost only
// where it lies in none. Offsets count the bytes of each window.
func TestInWindows(t *testing.T) {
	c := Corpus{Name: "pubtator", OfConcepts: true, Examples: []Example{{
		ID: "d", Text: "β-Pin was given. Rash (α) came. It went – Pin stayed. And itch.",
		Entities: []Entity{
			{0, 6, "drug", 0, []string{"D1"}}, {18, 22, "sign", 1, []string{"D2"}}, {24, 26, "gene", 2, []string{"D3"}},
			{46, 49, "drug", 3, []string{"D1"}}, {62, 66, "sign", 4, []string{"D4"}},
		},
		Relations:        []Relation{{0, 2, "of"}, {2, 2, "of"}, {2, 4, "of"}},
		ConceptRelations: []ConceptRelation{{"D2", "D1", "by"}, {"D1", "D4", "by"}, {"D2", "D4", "by"}, {"D2", "D9", "by"}},
	}}}
	got, lost := c.InWindows(2, func(text string) bool { return len(text) < 40 })
	want := []Example{
		{ID: "d#1", In: Part{c.Examples[0].Text, 0}, Text: "β-Pin was given. Rash (α) came.",
			Entities:         []Entity{{0, 6, "drug", 0, []string{"D1"}}, {18, 22, "sign", 1, []string{"D2"}}, {24, 26, "gene", 2, []string{"D3"}}},
			Relations:        []Relation{{0, 1, "by"}, {0, 2, "of"}},
			ConceptRelations: []ConceptRelation{{"D2", "D1", "by"}}},
		{ID: "d#2", In: Part{c.Examples[0].Text, 18}, Text: "Rash (α) came. It went – Pin stayed.",
			Entities:         []Entity{{0, 4, "sign", 1, []string{"D2"}}, {6, 8, "gene", 2, []string{"D3"}}, {28, 31, "drug", 3, []string{"D1"}}},
			Relations:        []Relation{{0, 2, "by"}},
			ConceptRelations: []ConceptRelation{{"D2", "D1", "by"}}},
		{ID: "d#3", In: Part{c.Examples[0].Text, 34}, Text: "It went – Pin stayed. And itch.",
			Entities:         []Entity{{12, 15, "drug", 3, []string{"D1"}}, {28, 32, "sign", 4, []string{"D4"}}},
			Relations:        []Relation{{0, 1, "by"}},
			ConceptRelations: []ConceptRelation{{"D1", "D4", "by"}}},
	}
	if diff := cmp.Diff(want, got.Examples); diff != "" {
		t.Errorf("InWindows (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{0, 15, 23}, got.Repeated()); diff != "" {
		t.Errorf("what is repeated (-want +got):\n%s", diff)
	}
	twice := Corpus{Examples: slices.Concat(got.Examples, got.Examples, c.Examples, c.Examples)}
	if diff := cmp.Diff([]int{0, 15, 23, 0, 15, 23, 0, 0}, twice.Repeated()); diff != "" {
		t.Errorf("what is repeated of documents with one text, and of whole ones (-want +got):\n%s", diff)
	}
	if lost != (Lost{Relations: 2, Unnamed: 1, Loops: 1}) {
		t.Errorf("lost %+v, want the relation of the mentions, that of the concepts that are farther apart, and that of one that is not there", lost)
	}
	if _, lost := c.InSentences(); lost != (Lost{Relations: 5, Unnamed: 1, Loops: 1}) {
		t.Errorf("sentence by sentence %+v is lost, want all relations", lost)
	}
	if _, lost := c.InWindows(9, func(string) bool { return true }); lost != (Lost{Unnamed: 1, Loops: 1}) {
		t.Errorf("of the whole text %+v is lost", lost)
	}
}
