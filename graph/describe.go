package graph

import (
	"context"
	"errors"
	"fmt"
)

// Details are what Describe adds to candidates.
type Details struct {
	Codes    bool // identifiers in the sources
	Synonyms bool // all names but the preferred one
}

// Describe adds details of their concepts to the candidates of mentions.
func Describe(ctx context.Context, from Knowledge, mentions []Mention, details Details) error {
	if details == (Details{}) {
		return nil
	}
	known := map[CUI]Concept{}
	for _, m := range mentions {
		for i := range m.Concepts {
			candidate := &m.Concepts[i]
			concept, read := known[candidate.CUI]
			if !read {
				var err error
				if concept, err = from.Concept(ctx, candidate.CUI); err != nil && !errors.Is(err, ErrNotFound) {
					return fmt.Errorf("describe %s: %w", candidate.CUI, err)
				}
				known[candidate.CUI] = concept
			}
			if details.Codes {
				candidate.Codes = concept.Codes
			}
			if details.Synonyms {
				candidate.Synonyms = concept.Synonyms
			}
		}
	}
	return nil
}
