package graph

import "cmp"

// Compare orders relations as a [Subgraph] has them: by head, label and tail.
func (r Relation) Compare(o Relation) int {
	return cmp.Or(cmp.Compare(r.Head, o.Head), cmp.Compare(r.Label, o.Label), cmp.Compare(r.Tail, o.Tail))
}

// CompareEnds orders relations as a [Release] has them: by head, tail and label.
func (r Relation) CompareEnds(o Relation) int {
	return cmp.Or(cmp.Compare(r.Head, o.Head), cmp.Compare(r.Tail, o.Tail), cmp.Compare(r.Label, o.Label))
}

// CompareLabels orders relations as [Knowledge.Neighbors] has them: by label, head and tail.
func (r Relation) CompareLabels(o Relation) int {
	return cmp.Or(cmp.Compare(r.Label, o.Label), cmp.Compare(r.Head, o.Head), cmp.Compare(r.Tail, o.Tail))
}

// Compare orders relations of semantic types by head, label and tail.
func (r TypeRelation) Compare(o TypeRelation) int {
	return cmp.Or(cmp.Compare(r.Head, o.Head), cmp.Compare(r.Label, o.Label), cmp.Compare(r.Tail, o.Tail))
}
