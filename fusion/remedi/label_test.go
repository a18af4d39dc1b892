package remedi

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/modeldir/tinybert"
)

// vocabulary is enough to spell the texts of the tests.
var vocabulary = strings.Fields(`drug effect rash fever nausea lithium aspirin hepa ##rin toxicity severe caused by led to and
	after took patient the p 0 05 < = . , ( ) - 12`)

func tokenizer(t testing.TB) *encoder.Tokenizer {
	t.Helper()
	tokens, err := encoder.LoadTokenizer(tinybert.Write(t, vocabulary...))
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

func ade() Config {
	cfg := DefaultConfig()
	cfg.EntityTypes = []string{"Adverse-Effect", "Drug"}
	cfg.Directed = true
	cfg.Pairs = []Pair{{"Adverse-Effect", "Drug", "Adverse-Effect"}}
	return cfg
}

// annotated reads a sentence such as "<rash> by [lithium]": effects in angle,
// drugs in square brackets, and relations as "effect-drug", by index.
func annotated(id, marked string, relations ...[2]int) corpus.Example {
	e := corpus.Example{ID: id, Group: id}
	var open []int // entities that are not closed yet
	for _, r := range marked {
		switch r {
		case '<', '[':
			open = append(open, len(e.Entities))
			typ := map[rune]string{'<': "Adverse-Effect", '[': "Drug"}[r]
			e.Entities = append(e.Entities, corpus.Entity{Start: len(e.Text), Type: typ, Cluster: len(e.Entities)})
		case '>', ']':
			e.Entities[open[len(open)-1]].End = len(e.Text)
			open = open[:len(open)-1]
		default:
			e.Text += string(r)
		}
	}
	for _, r := range relations {
		e.Relations = append(e.Relations, corpus.Relation{Head: r[0], Tail: r[1], Label: "Adverse-Effect"})
	}
	return e
}

// pieceNames gives the vocabulary's names of pieces.
func pieceNames(t *encoder.Tokenizer, pieces []encoder.Piece) string {
	names := map[int32]string{t.Unknown(): "?"}
	for _, name := range vocabulary {
		text, continued := strings.CutPrefix(name, "##")
		if !continued {
			names[t.Tokenize(text)[0].ID] = name
		}
	}
	var list []string
	for _, p := range pieces {
		if name := names[p.ID]; name != "" {
			list = append(list, name)
		} else {
			list = append(list, "##")
		}
	}
	return strings.Join(list, " ")
}

func TestClean(t *testing.T) {
	tokens := tokenizer(t)
	for text, want := range map[string]string{
		"Rash, (severe) - fever.":             "rash severe fever",
		"rash after 12 and fever (p < 0.05).": "rash after 12 and fever",
		"p = .05 after heparin":               "after hepa ##",
		"...":                                 "",
		"":                                    "",
	} {
		pieces := clean(text, tokens.Tokenize(text))
		if got := pieceNames(tokens, pieces); got != want {
			t.Errorf("%q is read as %q, want %q", text, got, want)
		}
	}
}

func TestSentences(t *testing.T) {
	tokens := tokenizer(t)
	text := "Rash by lithium. Heparin " + strings.Repeat("heparin ", 199) + "."
	parts := sentences(text, tokens)
	if len(parts) != 3 || len(parts[0]) != 3 || len(parts[1]) != longest || len(parts[2]) != 400-longest {
		t.Fatalf("%d parts", len(parts))
	}
	if p := parts[1][0]; text[p.Start:p.End] != "Hepa" || p.Start != 17 {
		t.Errorf("the second sentence begins with %q at %d", text[p.Start:p.End], p.Start)
	}
}

func TestExample(t *testing.T) {
	tokens := tokenizer(t)
	for name, test := range map[string]struct {
		e         corpus.Example
		ambiguous bool
		tags      []int32
		groups    []int
	}{
		"related":   {annotated("", "[lithium] led to <severe rash>.", [2]int{1, 0}), false, []int32{3, 0, 0, 1, 2}, []int{1, 1}},
		"unrelated": {annotated("", "[lithium] and <rash>"), false, []int32{3, 0, 1}, []int{1, 2}},
		"by way of another": {
			annotated("", "<rash> and <fever> by [heparin] and [lithium]", [2]int{0, 2}, [2]int{1, 2}, [2]int{1, 3}),
			false, []int32{1, 0, 1, 0, 3, 3, 0, 3}, []int{1, 1, 1, 1},
		},
		"two groups": {
			annotated("", "[aspirin] and [lithium] led to <rash> and <fever>", [2]int{2, 1}, [2]int{3, 0}),
			false, []int32{3, 0, 3, 0, 0, 1, 0, 1}, []int{1, 2, 2, 1},
		},
		"punctuation inside":    {annotated("", "<rash - fever>"), false, []int32{1, 2}, []int{1}},
		"inside a word":         {annotated("", "[hepa]rin and <rash>"), false, []int32{0, 0, 0, 1}, []int{1}},
		"only punctuation":      {annotated("", "rash <(>"), false, []int32{0}, nil},
		"the drug in an effect": {annotated("", "<[lithium] toxicity>", [2]int{0, 1}), true, nil, nil},
	} {
		x, ok := ade().example(tokens, test.e)
		if ok == test.ambiguous {
			t.Errorf("%s: ok is %v", name, ok)
		}
		if !ok {
			continue
		}
		if got := tagsOf(x.pieces, x.places); !slices.Equal(got, test.tags) {
			t.Errorf("%s: tags %v, want %v", name, got, test.tags)
		}
		if !slices.Equal(x.groups, test.groups) {
			t.Errorf("%s: groups %v, want %v", name, x.groups, test.groups)
		}
	}
}

func TestMask(t *testing.T) {
	tokens := tokenizer(t)
	cfg := ade()
	cfg.Groups = 1
	x, _ := cfg.example(tokens, annotated("", "the [heparin] led to <severe rash> and <fever>", [2]int{1, 0}))
	m := &Model{cfg: cfg, tokenizer: tokens}
	l := m.labelled(x)
	if got := pieceNames(tokens, l.masked.pieces); got != "the drug led to effect and effect" {
		t.Errorf("masked as %q", got)
	}
	if want := []int32{0, 2, 0, 0, 1, 0, 1}; !slices.Equal(l.masked.kinds, want) {
		t.Errorf("kinds %v, want %v", l.masked.kinds, want)
	}
	if want := []int32{0, 1, 0, 0, 1, 0, leftOut}; !slices.Equal(l.groups, want) {
		t.Errorf("groups %v, want %v", l.groups, want)
	}
}

func TestAugment(t *testing.T) {
	tokens := tokenizer(t)
	var examples []example
	for _, e := range []corpus.Example{
		annotated("a", "[aspirin] led to <rash>", [2]int{1, 0}),
		annotated("b", "the patient took [lithium]"),
	} {
		x, _ := ade().example(tokens, e)
		examples = append(examples, x)
	}
	both := concatenate([]example{examples[0], examples[1], examples[0]})
	if want := []int{1, 1, 2, 3, 3}; !slices.Equal(both.groups, want) {
		t.Errorf("groups %v, want %v", both.groups, want)
	}
	if want := []int32{3, 0, 0, 1, 0, 0, 0, 3, 3, 0, 0, 1}; !slices.Equal(tagsOf(both.pieces, both.places), want) {
		t.Errorf("tags %v, want %v", tagsOf(both.pieces, both.places), want)
	}
	for share, want := range map[float64]int{0: 2, 0.5: 5, 1: 8} {
		if got := len(augment(examples, share, rand.New(rand.NewPCG(1, 0)))); got != want {
			t.Errorf("share %g: %d examples, want %d", share, got, want)
		}
	}
}

func TestPairsOf(t *testing.T) {
	c := corpus.Corpus{Directed: true, Examples: []corpus.Example{annotated("a", "[aspirin] <rash>", [2]int{1, 0})}}
	pairs, err := pairsOf(c)
	if err != nil || !slices.Equal(pairs, ade().Pairs) {
		t.Errorf("pairs %v, %v", pairs, err)
	}
	c.Examples = append(c.Examples, annotated("b", "<rash> [aspirin]", [2]int{0, 1}))
	c.Examples[1].Relations[0].Label = "cures"
	if _, err := pairsOf(c); err == nil || !strings.Contains(err.Error(), "text b") {
		t.Errorf("two labels of the same types: %v", err)
	}
}
