package keci

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/keci-kg/keci/graph"
)

// The relations, as UMLS names them, of a gene and what it encodes.
const (
	encodes   = "gene_encodes_gene_product"
	encodedBy = "gene_product_encoded_by_gene"
)

// products are pairs of a gene and what it encodes, in both orders.
type products map[[2]graph.CUI]bool

// productsOf are those among the concepts of a text.
func productsOf(text reading) products {
	pairs := products{}
	for _, in := range text.instances {
		if in.Graph != nil {
			maps.Copy(pairs, in.Graph.products)
		}
	}
	return pairs
}

// support is what the mentions of one name say of a concept.
type support struct {
	cui        graph.CUI
	first      int     // how many have it as their first candidate
	confidence float64 // summed
	weight     float64 // attention, summed
}

// agree lets all mentions of one name and type stand for the same concept: that which is
// the first candidate of most of them, the linker being surer of it where as many have
// another one. Where that is a gene or a gene product, it is the more attended of the
// gene and its product: they share their names, so that the linker can hardly tell which
// is meant; the attention, learned for the types of mentions, can (doc/results.md, "Which
// concept a mention stands for"). Of types that are settled it was learned more directly,
// from annotated concepts.
func agree(mentions []graph.Mention, pairs products, settled func(kind string) bool) {
	type name struct{ text, kind string }
	of := map[name][]int{}
	for i, m := range mentions {
		if len(m.Concepts) > 0 {
			key := name{strings.ToLower(m.Text), m.Type}
			of[key] = append(of[key], i)
		}
	}
	for name, group := range of {
		swapped := pairs
		if settled(name.kind) {
			swapped = nil
		}
		chosen := elect(mentions, group, swapped)
		for _, i := range group {
			putFirst(mentions[i].Concepts, chosen)
		}
	}
}

// elect gives the concept that a group of mentions, by index, stands for.
func elect(mentions []graph.Mention, group []int, pairs products) graph.CUI {
	byCUI := map[graph.CUI]*support{}
	for _, i := range group {
		for place, c := range mentions[i].Concepts {
			t := byCUI[c.CUI]
			if t == nil {
				t = &support{cui: c.CUI}
				byCUI[c.CUI] = t
			}
			if place == 0 {
				t.first++
			}
			t.confidence += c.Confidence
			if c.Weight != nil {
				t.weight += *c.Weight
			}
		}
	}
	all := slices.SortedFunc(maps.Values(byCUI), func(a, b *support) int {
		return cmp.Or(cmp.Compare(b.first, a.first), cmp.Compare(b.confidence, a.confidence), cmp.Compare(a.cui, b.cui))
	})
	chosen := all[0]
	for _, t := range all[1:] {
		if pairs[[2]graph.CUI{all[0].cui, t.cui}] && t.weight > chosen.weight {
			chosen = t
		}
	}
	return chosen.cui
}

// putFirst moves a concept to the front, if it is there. The others keep their order.
func putFirst(concepts []graph.Candidate, cui graph.CUI) {
	at := slices.IndexFunc(concepts, func(c graph.Candidate) bool { return c.CUI == cui })
	if at > 0 {
		chosen := concepts[at]
		copy(concepts[1:at+1], concepts[:at])
		concepts[0] = chosen
	}
}
