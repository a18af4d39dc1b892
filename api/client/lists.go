package client

import (
	"context"
	"fmt"
	"iter"
	"net/http"
)

// Relations gives all relations that a query asks for, page by page; params.Limit
// is how many are asked for at a time. An error is the last that is given.
func (c *ClientWithResponses) Relations(ctx context.Context, params ListRelationsParams) iter.Seq2[ExtractedRelation, error] {
	return pages("relations", params.After, func(after *string) ([]ExtractedRelation, *string, error) {
		params.After, params.Format = after, nil
		answer, err := c.ListRelationsWithResponse(ctx, &params)
		if err != nil {
			return nil, nil, err
		}
		page, err := decoded(answer.JSON200, answer.HTTPResponse)
		return page.Relations, page.Next, err
	})
}

// Sentences gives everything that says a relation, the highest score first.
func (c *ClientWithResponses) Sentences(ctx context.Context, relation string, params RelationEvidenceParams) iter.Seq2[Evidence, error] {
	return pages("evidence of "+relation, params.After, func(after *string) ([]Evidence, *string, error) {
		params.After, params.Format = after, nil
		answer, err := c.RelationEvidenceWithResponse(ctx, relation, &params)
		if err != nil {
			return nil, nil, err
		}
		page, err := decoded(answer.JSON200, answer.HTTPResponse)
		return page.Evidence, page.Next, err
	})
}

// SeenConcepts gives all concepts that the stored documents name.
func (c *ClientWithResponses) SeenConcepts(ctx context.Context, params ListSeenConceptsParams) iter.Seq2[SeenConcept, error] {
	return pages("concepts", params.After, func(after *string) ([]SeenConcept, *string, error) {
		params.After, params.Format = after, nil
		answer, err := c.ListSeenConceptsWithResponse(ctx, &params)
		if err != nil {
			return nil, nil, err
		}
		page, err := decoded(answer.JSON200, answer.HTTPResponse)
		return page.Concepts, page.Next, err
	})
}

// Documents gives all stored documents in order of id, without their graphs.
func (c *ClientWithResponses) Documents(ctx context.Context) iter.Seq2[DocumentEntry, error] {
	return pages("documents", nil, func(after *string) ([]DocumentEntry, *string, error) {
		answer, err := c.ListDocumentsWithResponse(ctx, &ListDocumentsParams{After: after})
		if err != nil {
			return nil, nil, err
		}
		page, err := decoded(answer.JSON200, answer.HTTPResponse)
		return page.Documents, page.Next, err
	})
}

// decoded is what an answer holds; that of something else than keci may hold nothing.
func decoded[T any](value *T, answer *http.Response) (T, error) {
	if value == nil {
		var none T
		return none, fmt.Errorf("%s answers %s with %s instead of JSON", answer.Request.URL.Host, answer.Status, answer.Header.Get("Content-Type"))
	}
	return *value, nil
}

// pages gives what is on all pages of a list, from after on.
func pages[T any](what string, after *string, read func(after *string) (items []T, next *string, err error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for at := after; ; {
			items, next, err := read(at)
			if err != nil {
				var none T
				yield(none, fmt.Errorf("listing %s: %w", what, err))
				return
			}
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
			if next == nil {
				return
			}
			at = next
		}
	}
}
