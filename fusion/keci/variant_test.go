package keci

import (
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"
)

// variantConfig is the tiny configuration of a variant, with room for what all
// of them have.
func variantConfig(v Variant) Config {
	cfg := everything(tinyConfig())
	cfg.Variant, cfg.Knowledge.Size = v, 8
	withEmbeddings(&cfg)
	return cfg
}

// TestPartsOfVariants: a variant has weights for exactly what its row of the paper leaves it.
func TestPartsOfVariants(t *testing.T) {
	scopes := []string{"/entities/", "/kar/", "/bigcn/", "/rgcn/layer", "/rgcn/output", "/rgcn/definition", "/rgcn/embedding", "/entities/definition", "/entities/embedding", "/kge/", "/fusion/", "/final/"}
	for variant, want := range map[Variant]string{
		VariantKECI:          "/bigcn/ /rgcn/layer /rgcn/output /rgcn/definition /rgcn/embedding /kge/ /fusion/ /final/",
		VariantSentContext:   "",
		VariantFlatAttention: "/rgcn/output /rgcn/definition /rgcn/embedding /kge/ /fusion/ /final/",
		VariantKnowBERT:      "/entities/ /kar/ /entities/definition /entities/embedding /kge/",
		VariantNoBiGCN:       "/rgcn/layer /rgcn/output /rgcn/definition /rgcn/embedding /kge/ /fusion/ /final/",
		VariantNoRGCN:        "/bigcn/ /rgcn/output /rgcn/definition /rgcn/embedding /kge/ /fusion/ /final/",
		VariantNoKGE:         "/bigcn/ /rgcn/layer /rgcn/output /rgcn/definition /fusion/ /final/",
		VariantNoDefinitions: "/bigcn/ /rgcn/layer /rgcn/output /rgcn/embedding /kge/ /fusion/ /final/",
	} {
		m := newRandomModel(t, variantConfig(variant), newFakeKnowledge().base(), 4)
		var got []string
		for _, scope := range scopes {
			for _, v := range weightsOf(m.store) {
				if strings.HasPrefix(v.Path(), scope) {
					got = append(got, scope)
					break
				}
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s has weights under %q, want %q", variant, got, want)
		}
	}
}

// TestWhatVariantsHear changes one thing that the model reads at a time.
func TestWhatVariantsHear(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*fakeKnowledge)
		deaf   []Variant // these must give the same; all others something else
	}{
		"concepts": {func(k *fakeKnowledge) { clear(k.names) },
			[]Variant{VariantSentContext}},
		"relations": {func(k *fakeKnowledge) { k.relations, k.typeRelations = nil, nil },
			[]Variant{VariantSentContext, VariantFlatAttention, VariantKnowBERT, VariantNoRGCN}},
		"semantic types": {func(k *fakeKnowledge) {
			for cui, c := range k.concepts {
				c.SemanticTypes = nil
				k.concepts[cui] = c
			}
		}, []Variant{VariantSentContext}},
		"definitions": {func(k *fakeKnowledge) {
			for cui, c := range k.concepts {
				c.Definition = "protein"
				k.concepts[cui] = c
			}
		}, []Variant{VariantSentContext, VariantNoDefinitions}},
		"names": {func(k *fakeKnowledge) {
			for cui, c := range k.concepts {
				c.Name = "kinase"
				k.concepts[cui] = c
			}
		}, []Variant{VariantSentContext}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, variant := range Variants() {
				k := newFakeKnowledge()
				m := newRandomModel(t, variantConfig(variant), k.base(), 4)
				before := bitsOf(t, m, abstract)
				test.change(k)
				same := samePredictions(before, bitsOf(t, m, abstract))
				if want := slices.Contains(test.deaf, variant); same != want {
					t.Errorf("%s gives the same: %t, want %t", variant, same, want)
				}
			}
		})
	}
}

// TestWithoutBiGCN: what a span is in the final graph depends on the initial
// relations only by way of the BiGCN.
func TestWithoutBiGCN(t *testing.T) {
	for _, variant := range Variants() {
		m := newRandomModel(t, variantConfig(variant), newFakeKnowledge().base(), 4)
		before := bitsOf(t, m, abstract)
		for _, v := range weightsOf(m.store) {
			if v.Path() == "/initial/relation/output/biases" {
				if err := v.SetValue(tensors.FromValue([]float32{3, -2, 1})); err != nil {
					t.Fatal(err)
				}
			}
		}
		same := true
		for i, p := range bitsOf(t, m, abstract) {
			for at := range p.finalTypes {
				same = same && p.finalTypes[at] == before[i].finalTypes[at]
			}
		}
		if want := !variant.parts().bigcn; same != want {
			t.Errorf("%s: the same final types: %t, want %t", variant, same, want)
		}
	}
}

// TestAttentionOfKnowBERT: mentions show the candidates that KAR attended to.
func TestAttentionOfKnowBERT(t *testing.T) {
	cfg := variantConfig(VariantKnowBERT)
	cfg.KeptRatio, cfg.Span.MaxWidth = 1, 1 // every piece that is a word is kept
	doc := extract(t, newRandomModel(t, cfg, newFakeKnowledge().base(), 4), "p53 binds mdm2 and heparin")
	if doc.KB == nil || len(doc.Mentions) != 5 {
		t.Fatalf("knowledge base %v, mentions %+v", doc.KB, doc.Mentions)
	}
	for _, m := range doc.Mentions {
		sum, want := *m.Sentinel, map[string]int{"p53": 2, "mdm2": 1}[m.Text]
		for _, c := range m.Concepts {
			sum += *c.Weight
		}
		if len(m.Concepts) != want || sum < 0.999 || sum > 1.001 || (want == 0) != (*m.Sentinel == 1) {
			t.Errorf("%s attends to %+v and %g to NULL, want %d concepts", m.Text, m.Concepts, *m.Sentinel, want)
		}
		if m.Initial.Type == m.Type && m.Initial.Score != m.Score {
			t.Errorf("%s: initial and final differ", m.Text)
		}
	}
}
