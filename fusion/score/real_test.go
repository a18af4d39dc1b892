package score

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/graph"
)

// sharedData is the folder with the real corpora. The test is skipped where it is absent.
func sharedData(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("KECI_SHARED_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no shared data: %v (set KECI_SHARED_DATA)", err)
	}
	return dir
}

func readReal(t *testing.T, name, file string) (c corpus.Corpus, path string) {
	t.Helper()
	path = filepath.Join(sharedData(t), "corpora", name, file)
	c, err := corpus.Read(name, path)
	if err != nil {
		t.Fatal(err)
	}
	return c, path
}

// perturb turns the gold annotation into predictions with errors of every kind:
// each error has the probability noise. Offsets count code points.
func perturb(c corpus.Corpus, noise float64, rng *rand.Rand) []graph.Document {
	wrong := func() bool { return rng.Float64() < noise }
	var docs []graph.Document
	for _, e := range c.Examples {
		doc := graph.Document{
			ID: e.ID, Text: e.Text, Offsets: graph.OffsetCodepoint,
			Mentions: []graph.Mention{}, Relations: []graph.Extraction{},
		}
		add := func(start, end int, typ string) { // bytes
			doc.Mentions = append(doc.Mentions, graph.Mention{
				ID:    fmt.Sprintf("T%d", len(doc.Mentions)),
				Start: utf8.RuneCountInString(e.Text[:start]), End: utf8.RuneCountInString(e.Text[:end]),
				Text: e.Text[start:end], Type: typ,
			})
		}
		relate := func(head, tail int, label string) {
			if wrong() {
				head, tail = tail, head
			}
			doc.Relations = append(doc.Relations, graph.Extraction{
				ID: fmt.Sprintf("R%d", len(doc.Relations)), Label: label,
				Head: fmt.Sprintf("T%d", head), Tail: fmt.Sprintf("T%d", tail),
			})
		}
		kept := map[int]int{}
		for i, m := range e.Entities {
			if wrong() {
				continue
			}
			typ := m.Type
			if wrong() {
				typ = c.EntityTypes[rng.IntN(len(c.EntityTypes))]
			}
			kept[i] = len(doc.Mentions)
			add(m.Start, m.End, typ)
		}
		words := strings.Fields(e.Text)
		for range len(words) / 5 {
			if wrong() {
				word := words[rng.IntN(len(words))]
				start := strings.LastIndex(e.Text, word)
				add(start, start+len(word), c.EntityTypes[0])
			}
		}
		for _, r := range e.Relations {
			head, okHead := kept[r.Head]
			tail, okTail := kept[r.Tail]
			if okHead && okTail && !wrong() {
				relate(head, tail, r.Label)
			}
		}
		for range doc.Mentions {
			if wrong() {
				relate(rng.IntN(len(doc.Mentions)), rng.IntN(len(doc.Mentions)), c.RelationLabels[0])
			}
		}
		docs = append(docs, doc)
	}
	return docs
}

// rawSentence is a BioRelEx record, read without the help of package corpus.
type rawSentence struct {
	ID       string
	Entities []struct {
		Names map[string]struct {
			IsMentioned bool `json:"is_mentioned"`
			Mentions    [][2]int
		}
	}
	Interactions []struct{ Participants [2]int }
}

// countByLists follows the rules of BioRelEx the slow way, over the raw file and
// with lists that are searched from end to end.
func countByLists(sentences []rawSentence, docs []graph.Document) (entities, relations Counts) {
	for i, s := range sentences {
		doc := docs[i]
		var gold, predicted []string
		mentioned := make([][]string, len(s.Entities))
		for k, e := range s.Entities {
			for name, n := range e.Names {
				if n.IsMentioned {
					mentioned[k] = append(mentioned[k], name)
					for _, m := range n.Mentions {
						gold = appendNew(gold, fmt.Sprint(name, m[0], m[1]))
					}
				}
			}
		}
		text := map[string]string{}
		for _, m := range doc.Mentions {
			text[m.ID] = m.Text
			predicted = appendNew(predicted, fmt.Sprint(m.Text, m.Start, m.End))
		}
		entities = entities.Add(countLists(gold, predicted))

		var pairs, asked []string
		for _, r := range doc.Relations {
			pairs = appendNew(pairs, unordered(text[r.Head], text[r.Tail]))
		}
		for _, in := range s.Interactions {
			missing := 0
			for _, a := range mentioned[in.Participants[0]] {
				for _, b := range mentioned[in.Participants[1]] {
					asked = appendNew(asked, unordered(a, b))
					missing += countLists([]string{unordered(a, b)}, pairs).FN
				}
			}
			if missing == 0 {
				relations.TP++
			} else {
				relations.FN++
			}
		}
		relations.FP += countLists(asked, pairs).FP
	}
	return entities, relations
}

func unordered(a, b string) string {
	if a > b {
		a, b = b, a
	}
	return a + "\x00" + b
}

func appendNew(list []string, x string) []string {
	for _, y := range list {
		if x == y {
			return list
		}
	}
	return append(list, x)
}

func countLists(gold, predicted []string) (c Counts) {
	for _, g := range gold {
		found := false
		for _, p := range predicted {
			found = found || g == p
		}
		if found {
			c.TP++
		}
	}
	c.FN, c.FP = len(gold)-c.TP, len(predicted)-c.TP
	return c
}

// TestBioRelExAgainstLists scores predictions of every quality both ways.
func TestBioRelExAgainstLists(t *testing.T) {
	gold, path := readReal(t, corpus.BioRelEx, "dev.json")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var sentences []rawSentence
	if err := json.Unmarshal(data, &sentences); err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(20) {
		noise := float64(seed) / 20
		docs := perturb(gold, noise, rand.New(rand.NewPCG(seed, 1)))
		entities, relations := countByLists(sentences, docs)
		got, err := BioRelEx(gold, docs)
		if err != nil {
			t.Fatal(err)
		}
		if got.Entities != entities || got.Relations != relations {
			t.Errorf("noise %g: entities, relations = %+v, %+v, want %+v, %+v", noise, got.Entities, got.Relations, entities, relations)
		}
	}
}

// TestBioRelExAgainstScript compares with a script that is known to agree with
// the benchmark's own.
func TestBioRelExAgainstScript(t *testing.T) {
	gold, path := readReal(t, corpus.BioRelEx, "dev.json")
	script := filepath.Join(sharedData(t), "..", "tools", "biorelex_score.py")
	if _, err := os.Stat(script); err != nil {
		t.Skip(err)
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip(err)
	}
	for seed, noise := range []float64{0, 0.02, 0.1, 0.3, 0.6} {
		docs := perturb(gold, noise, rand.New(rand.NewPCG(uint64(seed), 2)))
		got, err := BioRelEx(gold, docs)
		if err != nil {
			t.Fatal(err)
		}
		var lines strings.Builder
		enc := json.NewEncoder(&lines)
		for _, doc := range docs {
			if err := enc.Encode(doc); err != nil {
				t.Fatal(err)
			}
		}
		predictions := filepath.Join(t.TempDir(), "predictions.jsonl")
		if err := os.WriteFile(predictions, []byte(lines.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), python, script, path, predictions, "0", "0").CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", script, err, out)
		}
		want := fmt.Sprintf("entity F1 %.2f (goal 0.0), relation F1 %.2f (goal 0.0)", 100*got.EntityF1, 100*got.RelationF1)
		if strings.TrimSpace(string(out)) != want {
			t.Errorf("noise %g: the script says %q, we say %q", noise, strings.TrimSpace(string(out)), want)
		}
		t.Logf("noise %g: %s", noise, want)
	}
}

// TestGoldAsPrediction: what the corpus says is right, whatever corpus it is,
// but for the two homodimers of BioRelEx dev (one mention cannot be paired with
// itself in the corpus, so one stays unfound).
func TestGoldAsPrediction(t *testing.T) {
	tests := []struct {
		name, file string
		unfound    int
	}{
		{corpus.BioRelEx, "dev.json", 1},
		{corpus.ADE, "ade_full.json", 0},
	}
	for _, test := range tests {
		gold, _ := readReal(t, test.name, test.file)
		got, err := Evaluate(gold, perturb(gold, 0, rand.New(rand.NewPCG(1, 1))))
		if err != nil {
			t.Fatal(err)
		}
		if got.EntityF1 != 1 || got.Entities.FP != 0 || got.Relations.FP != 0 || got.Relations.FN != test.unfound {
			t.Errorf("%s: %+v", test.name, got)
		}
		if got.EntityTypes.MacroF1() != 1 || got.RelationLabels.MacroF1() != 1 {
			t.Errorf("%s: %+v", test.name, got)
		}
	}
}

// rawTokens is a sentence of ADE, read without the help of package corpus.
type rawTokens struct {
	Tokens   []string
	Entities []struct {
		Type       string
		Start, End int
	}
	Relations []struct {
		Type       string
		Head, Tail int
	}
}

// strictLists writes what a sentence and its document have as strings, by type
// and by label: an entity with its span and type, a relation with those of both
// its ends, head first. That is how SpERT's evaluation, which the published
// figures of ADE come from, compares them; sentence by sentence, each once.
func strictLists(s rawTokens, doc graph.Document) (gold, predicted map[string][]string) {
	gold, predicted = map[string][]string{}, map[string][]string{}
	at := func(token int) int {
		return utf8.RuneCountInString(strings.Join(append(s.Tokens[:token:token], ""), " "))
	}
	var ends []string
	for _, e := range s.Entities {
		end := fmt.Sprint(at(e.Start), at(e.End)-1, e.Type)
		ends = append(ends, end)
		gold["type "+e.Type] = appendNew(gold["type "+e.Type], end)
	}
	for _, r := range s.Relations {
		gold["label "+r.Type] = appendNew(gold["label "+r.Type], ends[r.Head]+" "+ends[r.Tail])
	}
	found := map[string]string{}
	for _, m := range doc.Mentions {
		found[m.ID] = fmt.Sprint(m.Start, m.End, m.Type)
		predicted["type "+m.Type] = appendNew(predicted["type "+m.Type], found[m.ID])
	}
	for _, r := range doc.Relations {
		predicted["label "+r.Label] = appendNew(predicted["label "+r.Label], found[r.Head]+" "+found[r.Tail])
	}
	return gold, predicted
}

// TestADEAgainstLists scores predictions of every quality both ways, to the count.
func TestADEAgainstLists(t *testing.T) {
	gold, path := readReal(t, corpus.ADE, "ade_full.json")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var sentences []rawTokens
	if err := json.Unmarshal(data, &sentences); err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(8) {
		noise := float64(seed) / 8
		docs := perturb(gold, noise, rand.New(rand.NewPCG(seed, 3)))
		want := map[string]Counts{}
		for i, s := range sentences {
			asked, given := strictLists(s, docs[i])
			for _, kind := range []string{"type Adverse-Effect", "type Drug", "label Adverse-Effect"} {
				want[kind] = want[kind].Add(countLists(asked[kind], given[kind]))
			}
		}
		got, err := ADE(gold, docs)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range gold.EntityTypes {
			if got.EntityTypes[name] != want["type "+name] {
				t.Errorf("noise %g: %s: %+v, want %+v", noise, name, got.EntityTypes[name], want["type "+name])
			}
		}
		for _, name := range gold.RelationLabels {
			if got.RelationLabels[name] != want["label "+name] {
				t.Errorf("noise %g: %s: %+v, want %+v", noise, name, got.RelationLabels[name], want["label "+name])
			}
		}
		macro := (want["type Adverse-Effect"].F1() + want["type Drug"].F1()) / 2
		if diff := got.EntityF1 - macro; diff > 1e-12 || diff < -1e-12 || got.RelationF1 != want["label Adverse-Effect"].F1() {
			t.Errorf("noise %g: F1 %g and %g, want %g and %g", noise, got.EntityF1, got.RelationF1, macro, want["label Adverse-Effect"].F1())
		}
	}
}
