package kge

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/graph"
)

// release is a knowledge base in memory.
type release struct {
	types     []graph.SemanticType
	among     []graph.TypeRelation
	concepts  []graph.Concept
	relations []graph.Relation
	fault     error // what the relations end with
}

func (r release) Network() ([]graph.SemanticType, []graph.TypeRelation) { return r.types, r.among }

func (r release) Concepts(context.Context) iter.Seq2[graph.Concept, error] {
	return func(yield func(graph.Concept, error) bool) {
		for _, c := range r.concepts {
			if !yield(c, nil) {
				return
			}
		}
	}
}

func (r release) Relations(context.Context) iter.Seq2[graph.Relation, error] {
	return func(yield func(graph.Relation, error) bool) {
		for _, x := range r.relations {
			if !yield(x, nil) {
				return
			}
		}
		if r.fault != nil {
			yield(graph.Relation{}, r.fault)
		}
	}
}

// families is a knowledge base where names and types tell what is related: "gene
// f n" encodes "protein f n", and each is a member of its family.
func families(count, members int) release {
	r := release{
		types: []graph.SemanticType{{TUI: "T028", Name: "gene"}, {TUI: "T116", Name: "protein"}, {TUI: "T200", Name: "family"}},
		among: []graph.TypeRelation{{Head: "T028", Label: "produces", Tail: "T116"}},
	}
	add := func(cui graph.CUI, name string, tui graph.TUI, definition string) {
		r.concepts = append(r.concepts, graph.Concept{CUI: cui, Name: name, SemanticTypes: []graph.TUI{tui}, Definition: definition})
	}
	relate := func(head graph.CUI, label, back string, tail graph.CUI) {
		r.relations = append(r.relations, graph.Relation{Head: head, Label: label, Tail: tail}, graph.Relation{Head: tail, Label: back, Tail: head})
	}
	for f := range count {
		family := graph.CUI(fmt.Sprintf("A%02d", f))
		add(family, fmt.Sprintf("family %c", 'a'+f), "T200", "")
		for m := range members {
			gene, protein := graph.CUI(fmt.Sprintf("B%02d%02d", f, m)), graph.CUI(fmt.Sprintf("C%02d%02d", f, m))
			add(gene, fmt.Sprintf("gene %c %d", 'a'+f, m), "T028", "")
			add(protein, fmt.Sprintf("protein %c %d", 'a'+f, m), "T116", fmt.Sprintf("a protein of family %c", 'a'+f))
			relate(gene, "encodes", "encoded_by", protein)
			relate(gene, "member_of", "has_member", family)
			relate(protein, "member_of", "has_member", family)
		}
	}
	add("Z", "alone", "T116", "without a relation")
	return r
}

// testTexts has a random vector for every word of families.
func testTexts(t testing.TB) Texts {
	t.Helper()
	words := strings.Fields("[PAD] [UNK] [CLS] [SEP] gene protein family of alone without relation definition 1 2 3 4 5 6 7 8 9 0 ##1 ##2 ##3 ##4 ##5 ##6 ##7 ##8 ##9 ##0")
	for letter := 'a'; letter <= 'z'; letter++ {
		words = append(words, string(letter))
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "vocab.txt"), []byte(strings.Join(words, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tokenizer, err := encoder.LoadTokenizer(dir)
	if err != nil {
		t.Fatal(err)
	}
	const width = 24
	random := rand.New(rand.NewPCG(1, 2))
	pieces := make([]float32, len(words)*width)
	for i := range pieces {
		pieces[i] = float32(random.NormFloat64() * 0.1)
	}
	return Texts{Tokenizer: tokenizer, Pieces: pieces, Width: width}
}

// testOptions learn in a second.
func testOptions() Options {
	o := DefaultOptions()
	o.Size, o.Steps, o.Batch, o.Negatives, o.Rate, o.HeldOut, o.Queries = 12, 250, 64, 32, 1e-2, 0.1, 200
	return o
}

func mustRead(t testing.TB, r release) *Facts {
	t.Helper()
	facts, err := Read(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return facts
}

// silent hears of progress.
type silent func(done int)

func (s silent) Step(_ string, done, _ int, _ float64) {
	if s != nil {
		s(done)
	}
}
