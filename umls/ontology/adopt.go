package ontology

import (
	"context"
	"iter"

	"github.com/keci-kg/keci/graph"
)

// Release is what ontologies are read beside: it knows some of their terms, and
// knows better which concept they are. A *umls.Release is one.
type Release interface {
	// ConceptsOfCodes gives the concepts of those terms that are wanted, by their
	// identifiers in capitals.
	ConceptsOfCodes(ctx context.Context, wanted func(id string) bool) (map[string]graph.CUI, error)

	// Retired gives the concepts that earlier releases had.
	Retired(ctx context.Context) iter.Seq2[graph.Retired, error]
}

// adopt gives terms the concepts that a release has for them. What a term itself
// refers to counts where the release does not know it, and may be of an earlier
// release: then what took its place counts.
func (x *index) adopt(ctx context.Context, release Release) error {
	concepts, err := release.ConceptsOfCodes(ctx, func(id string) bool {
		_, known := x.find(id)
		return known
	})
	if err != nil {
		return err
	}
	for id, cui := range concepts {
		at, _ := x.find(id)
		x.terms[at].cui = cui
	}
	return x.adoptSuccessors(ctx, release)
}

func (x *index) adoptSuccessors(ctx context.Context, release Release) error {
	successors := map[graph.CUI]graph.CUI{}
	for i := range x.terms {
		if cui := x.terms[i].cui; cui != "" {
			successors[cui] = cui
		}
	}
	for r, err := range release.Retired(ctx) {
		if err != nil {
			return err
		}
		if _, wanted := successors[r.CUI]; wanted && r.Into != "" {
			successors[r.CUI] = r.Into
		}
	}
	for i := range x.terms {
		if t := &x.terms[i]; t.cui != "" {
			t.cui = successors[t.cui]
		}
	}
	return nil
}
