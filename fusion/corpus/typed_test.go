package corpus

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTypedRelations: the types of a concept are those of its first mention, and a
// relation of what no mention denotes is counted apart.
func TestTypedRelations(t *testing.T) {
	c := Corpus{OfConcepts: true, Examples: []Example{{
		Entities: []Entity{{Type: "Gene", Concepts: []string{"1", "2"}}, {Type: "Disease", Concepts: []string{"3"}}, {Type: "Chemical", Concepts: []string{"2"}}},
		Relations: []Relation{
			{Head: 0, Tail: 2, Label: "binds"},
		},
		ConceptRelations: []ConceptRelation{{Head: "2", Tail: "3", Label: "causes"}, {Head: "3", Tail: "1", Label: "treats"}, {Head: "1", Tail: "4", Label: "causes"}},
	}}}
	for _, test := range []struct {
		directed, ofConcepts bool
		want                 []TypedRelation
		unnamed              int
	}{
		{false, true, []TypedRelation{{TypePair{"Disease", "Gene"}, "causes"}, {TypePair{"Disease", "Gene"}, "treats"}}, 1},
		{true, true, []TypedRelation{{TypePair{"Gene", "Disease"}, "causes"}, {TypePair{"Disease", "Gene"}, "treats"}}, 1},
		{false, false, []TypedRelation{{TypePair{"Chemical", "Gene"}, "binds"}}, 0},
	} {
		c.Directed, c.OfConcepts = test.directed, test.ofConcepts
		got, unnamed := c.TypedRelations()
		if diff := cmp.Diff(test.want, got); diff != "" || unnamed != test.unnamed {
			t.Errorf("directed %t, of concepts %t: %d unnamed (-want +got):\n%s", test.directed, test.ofConcepts, unnamed, diff)
		}
	}
}
