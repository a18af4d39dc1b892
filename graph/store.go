package graph

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"time"
)

// ErrNotFound is returned, wrapped, when an id is not in a store.
var ErrNotFound = errors.New("not found")

// ErrRetired is returned, wrapped together with ErrNotFound, when a concept is
// known to have been there in an earlier release, and none took its place.
var ErrRetired = errors.New("retired, and no concept took its place")

// ErrConflict is returned, wrapped, when a document id is known with another
// text or title.
var ErrConflict = errors.New("conflict")

// ErrUnavailable is returned, wrapped, when a store cannot be reached or used now.
var ErrUnavailable = errors.New("unavailable")

// Knowledge reads a knowledge base. Implementations are safe for concurrent use.
//
// The id of a retired concept stands, wherever one is asked for, for the concept
// that took its place, directly or by way of others that were retired as well.
type Knowledge interface {
	// Info says what the knowledge base is.
	Info(ctx context.Context) (KnowledgeBaseInfo, error)

	// Concept returns one concept, whose CUI is another than that asked for when
	// that one was retired. The error wraps ErrNotFound when there is none, and
	// ErrRetired as well when it was retired for good.
	Concept(ctx context.Context, cui CUI) (Concept, error)

	// SemanticType returns one semantic type; the error wraps ErrNotFound when there is none.
	SemanticType(ctx context.Context, tui TUI) (SemanticType, error)

	// Search returns at most limit concepts with a name that begins with or
	// holds the words of query, best first; ties by CUI. Where very many names do,
	// a store may look at the likeliest concepts only, which are the same for every
	// limit: a search with a smaller limit gives the beginning of that with a greater.
	Search(ctx context.Context, query string, limit int) ([]Concept, error)

	// Neighbors returns at most limit curated relations that have the concept as
	// head or tail, sorted by label, head and tail.
	Neighbors(ctx context.Context, cui CUI, limit int) ([]Relation, error)

	// Subgraph returns the background knowledge graph of the concepts. Unknown
	// and repeated ids are passed over.
	Subgraph(ctx context.Context, cuis []CUI) (Subgraph, error)
}

// Release is everything that a knowledge base holds, to be gone through from
// beginning to end. The order is the same each time. An iterator ends after the
// first error.
type Release interface {
	// Info says what the knowledge base is.
	Info(ctx context.Context) (KnowledgeBaseInfo, error)

	// Network returns the semantic types and their relations, sorted.
	Network() ([]SemanticType, []TypeRelation)

	// Concepts goes through the concepts in order of CUI.
	Concepts(ctx context.Context) iter.Seq2[Concept, error]

	// Relations goes through the relations in order of head, tail and label.
	Relations(ctx context.Context) iter.Seq2[Relation, error]

	// Retired goes through the concepts of earlier releases that this one does
	// not have, in order of CUI. Into is a concept that it has, or empty.
	Retired(ctx context.Context) iter.Seq2[Retired, error]
}

// Succession tells what became of the concepts of earlier releases.
// Implementations are safe for concurrent use.
type Succession interface {
	// Successor says what took the place of a retired concept; the error wraps
	// ErrNotFound when the concept was not retired.
	Successor(ctx context.Context, cui CUI) (Retired, error)

	// Predecessors returns the retired concepts whose place a concept took, in
	// order of CUI.
	Predecessors(ctx context.Context, cui CUI) ([]CUI, error)
}

// Presence tells which concepts stand in the place of retired ones. One that it
// does not tell of stands for itself.
type Presence map[CUI]CUI

// Of is the concept that stands for another one.
func (p Presence) Of(cui CUI) CUI { return cmp.Or(p[cui], cui) }

// Documents keeps what was extracted. Implementations are safe for concurrent
// use; every write is all or nothing.
type Documents interface {
	// SaveDocument stores a document with everything extracted from it, its
	// offsets counted in code points. The id must pass ValidateID. Submitted is
	// set to the present time when doc has none.
	//
	// Saving an id that is known with the same text and title changes nothing,
	// whatever was extracted. One that is known with another text or title gives
	// an error that wraps ErrConflict. If replace is true, the old document and
	// all that was extracted from it is replaced in both cases. SaveDocument
	// reports whether the id was new.
	SaveDocument(ctx context.Context, doc Document, replace bool) (created bool, err error)

	// Document returns a stored document; the error wraps ErrNotFound when there is none.
	Document(ctx context.Context, id string) (Document, error)

	// Documents lists at most limit documents (without mentions and relations)
	// in order of id, those after the id given by after. Empty means from the start.
	Documents(ctx context.Context, after string, limit int) ([]Document, error)

	// DeleteDocument removes a document and all that was extracted from it; the
	// error wraps ErrNotFound when there is none.
	DeleteDocument(ctx context.Context, id string) error

	// ConceptMentions returns at most limit places where a concept was seen, in
	// order of document id and of the mentions in the document. A concept that
	// was not seen, known or not, gives none. What was seen follows its concept:
	// mentions of a retired one are mentions of the one that took its place, and
	// whichever of them is asked for, the answer is the same. The mentions
	// themselves stay as they were saved.
	ConceptMentions(ctx context.Context, cui CUI, limit int) ([]Seen, error)
}

// Seen is a place where a concept was seen.
type Seen struct {
	DocumentID string  `json:"documentId"`
	Mention    Mention `json:"mention"`
}

// Store is a knowledge base with the documents extracted beside it.
type Store interface {
	Knowledge
	Documents
	Extracted
	Close() error
}

// Canonical is a document as every store keeps it: a valid id, offsets in code
// points, no ConceptRelations, and the time of its submission in UTC, which is now unless it has
// one. The error says what is wrong with the id or the offsets.
func Canonical(doc Document) (Document, error) {
	if err := ValidateID(doc.ID); err != nil {
		return doc, err
	}
	doc, err := doc.WithOffsets(OffsetCodepoint)
	if err != nil {
		return doc, err
	}
	doc.ConceptRelations = nil
	submitted := time.Now().Truncate(time.Millisecond)
	if doc.Submitted != nil {
		submitted = *doc.Submitted
	}
	doc.Submitted = new(submitted.UTC())
	return doc, nil
}
