package graph

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Extracted tells what the documents say, all of them together. A mention stands
// for the first of those that it denotes (Mention.Denoted), or for the one that took
// its place since; one that denotes none says nothing here. The id of a retired concept stands, wherever
// one is asked for, for the concept that took its place.
// Implementations are safe for concurrent use and answer alike.
type Extracted interface {
	// Present tells which concepts took the place of those among cuis that were
	// retired.
	Present(ctx context.Context, cuis ...CUI) (Presence, error)

	// Facts returns the facts that a query asks for, in its order.
	Facts(ctx context.Context, query FactQuery) ([]Fact, error)

	// Evidence returns the relations behind a fact, the highest score first, then
	// by document and by place in it. A fact that nothing tells has none.
	Evidence(ctx context.Context, query EvidenceQuery) ([]Evidence, error)

	// SeenConcepts returns the concepts that documents name, in the order that the
	// query asks for.
	SeenConcepts(ctx context.Context, query SeenQuery) ([]SeenConcept, error)
}

// FactKey identifies a fact. Without a direction, Head is the lesser of the two.
type FactKey struct {
	Head     CUI
	Label    string
	Tail     CUI
	Directed bool
}

// Compare orders keys by head, tail, label and direction, that of none first.
func (k FactKey) Compare(o FactKey) int {
	direction := 0
	switch {
	case k.Directed && !o.Directed:
		direction = 1
	case !k.Directed && o.Directed:
		direction = -1
	}
	return cmp.Or(cmp.Compare(k.Head, o.Head), cmp.Compare(k.Tail, o.Tail), cmp.Compare(k.Label, o.Label), direction)
}

// Present is the key with the concepts that stand for its ends. They may be the
// other way round: the lesser of two others need not be the lesser of these.
func (k FactKey) Present(present Presence) FactKey {
	head, tail := present.Of(k.Head), present.Of(k.Tail)
	if head == k.Head && tail == k.Tail {
		return k
	}
	return FactKey{head, k.Label, tail, k.Directed}.Normal()
}

// Normal is the key with the lesser end as head, where it has no direction.
func (k FactKey) Normal() FactKey {
	if !k.Directed && k.Tail < k.Head {
		k.Head, k.Tail = k.Tail, k.Head
	}
	return k
}

const directedMark = "directed"

// escapeField writes a field of a key for users: percent-encoded, but with ~ instead of %, so
// that it goes into an address as it is, and comes out of one the same.
func escapeField(text string) string {
	escaped := strings.ReplaceAll(url.QueryEscape(text), "~", "%7E")
	return strings.ReplaceAll(escaped, "%", "~")
}

// unescapeField reads what escapeField writes, and what was written before, with %.
func unescapeField(text string) (string, error) {
	return url.QueryUnescape(strings.ReplaceAll(text, "~", "%"))
}

// String is the key as users see it: "C0039246:bind:C0085149", with ":directed"
// behind a directed one. What else is no letter, digit or mark that goes into an address
// is encoded: "CL~3A0000057" of CL:0000057.
func (k FactKey) String() string {
	parts := []string{escapeField(string(k.Head)), escapeField(k.Label), escapeField(string(k.Tail))}
	if k.Directed {
		parts = append(parts, directedMark)
	}
	return strings.Join(parts, ":")
}

// ParseFactKey reads what String writes.
func ParseFactKey(text string) (FactKey, error) {
	parts := strings.Split(text, ":")
	if directed := len(parts) == 4 && parts[3] == directedMark; len(parts) != 3 && !directed {
		return FactKey{}, fmt.Errorf("%q names no relation: it should be HEAD:LABEL:TAIL or HEAD:LABEL:TAIL:directed", text)
	}
	var fields [3]string
	for i := range fields {
		var err error
		if fields[i], err = unescapeField(parts[i]); err != nil {
			return FactKey{}, fmt.Errorf("%q names no relation: %w", text, err)
		}
	}
	return FactKey{CUI(fields[0]), fields[1], CUI(fields[2]), len(parts) == 4}, nil
}

// RelationKeys gives for each relation of a document the fact that it tells. What
// joins mentions without a concept tells none: its key is empty. present gives the
// concept that a retired one stands for.
func RelationKeys(doc Document, present func(CUI) CUI) []FactKey {
	best := map[string]CUI{}
	for _, mention := range doc.Mentions {
		if concepts := mention.Denoted(); len(concepts) > 0 {
			best[mention.ID] = present(concepts[0].CUI)
		}
	}
	keys := make([]FactKey, len(doc.Relations))
	for i, relation := range doc.Relations {
		key := FactKey{best[relation.Head], relation.Label, best[relation.Tail], relation.Directed}
		if key.Head != "" && key.Tail != "" {
			keys[i] = key.Normal()
		}
	}
	return keys
}

// ConceptName is a concept as far as lists tell of it.
type ConceptName struct {
	CUI           CUI    `json:"cui"`
	Name          string `json:"name"`
	SemanticTypes []TUI  `json:"semanticTypes"` // empty for a concept that the knowledge base lacks
}

// Fact is what the documents say of two concepts with one label.
type Fact struct {
	ID       string      `json:"id"` // FactKey as text
	Head     ConceptName `json:"head"`
	Label    string      `json:"label"`
	Tail     ConceptName `json:"tail"`
	Directed bool        `json:"directed"`
	// Documents and Mentions are how many documents tell it, and how many relations in them.
	Documents int     `json:"documents"`
	Mentions  int     `json:"mentions"`
	MaxScore  float64 `json:"maxScore"` // the highest score of a relation
	// NoisyOr is the probability that at least one document is right, were they
	// independent, each as sure as its best relation: 1 − Π(1 − best score). What one
	// document says again and again is no further evidence.
	NoisyOr float64 `json:"noisyOr"`
}

// Key identifies the fact.
func (f Fact) Key() FactKey { return FactKey{f.Head.CUI, f.Label, f.Tail.CUI, f.Directed} }

// FactWith returns the fact with a key; the error wraps ErrNotFound when no document
// tells it. The fact is that of the concepts that stand for the ends of the key.
func FactWith(ctx context.Context, extracted Extracted, key FactKey) (Fact, error) {
	present, err := extracted.Present(ctx, key.Head, key.Tail)
	if err != nil {
		return Fact{}, err
	}
	told := key.Present(present)
	facts, err := extracted.Facts(ctx, FactQuery{Concepts: []CUI{told.Head}, Other: told.Tail, Label: told.Label, Limit: 4}) // both ways, with and without direction
	if err != nil {
		return Fact{}, err
	}
	at := slices.IndexFunc(facts, func(f Fact) bool { return f.Key() == told })
	if at < 0 {
		return Fact{}, fmt.Errorf("no document says %s: %w", key, ErrNotFound)
	}
	return facts[at], nil
}

// EvidenceOf returns the relations behind a fact, of which those count that a filter lets
// pass; none where it asks for a semantic type that neither end has. The error wraps
// ErrNotFound when no document tells the fact.
func EvidenceOf(ctx context.Context, extracted Extracted, query EvidenceQuery) ([]Evidence, error) {
	if query.SemanticType != "" {
		fact, err := FactWith(ctx, extracted, query.Key)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(slices.Concat(fact.Head.SemanticTypes, fact.Tail.SemanticTypes), query.SemanticType) {
			return nil, nil
		}
	}
	found, err := extracted.Evidence(ctx, query)
	if err == nil && len(found) == 0 && query.SemanticType == "" {
		_, err = FactWith(ctx, extracted, query.Key) // does nobody say it, or only nobody who counts?
	}
	return found, err
}

// CheckConcept returns an error that wraps ErrNotFound when neither the knowledge base nor
// a document has a concept.
func CheckConcept(ctx context.Context, store Store, cui CUI) error {
	_, err := store.Concept(ctx, cui)
	if !errors.Is(err, ErrNotFound) {
		return err
	}
	seen, failed := store.ConceptMentions(ctx, cui, 1)
	if failed != nil || len(seen) > 0 {
		return failed
	}
	return err
}

// maxUnknown is how many unknown ids KnownIDs names.
const maxUnknown = 10

// KnownIDs are the ids by which concepts are known: as they are written or, where known
// gives ErrNotFound for that, in capitals. The error wraps those for the ids, the first
// ten at most, that are known neither way, and with them ErrNotFound.
func KnownIDs(ids []CUI, known func(CUI) error) ([]CUI, error) {
	found := make([]CUI, len(ids))
	var unknown []error
	for i, id := range ids {
		found[i] = id
		err := known(id)
		if upper := CUI(strings.ToUpper(string(id))); errors.Is(err, ErrNotFound) && upper != id {
			if inCapitals := known(upper); !errors.Is(inCapitals, ErrNotFound) {
				found[i], err = upper, inCapitals
			}
		}
		if err != nil && !errors.Is(err, ErrNotFound) {
			return nil, err
		}
		if err != nil {
			unknown = append(unknown, err)
		}
		if len(unknown) == maxUnknown {
			break
		}
	}
	if len(unknown) == 0 {
		return found, nil
	}
	all := unknown[0]
	for _, err := range unknown[1:] {
		all = fmt.Errorf("%w; %w", all, err)
	}
	return nil, all
}

// Filter bounds what counts of what was extracted. Its zero value lets everything count.
type Filter struct {
	Type         string    // entity type of a mention: of either end of a relation
	SemanticType TUI       // semantic type of a concept: of either end of a fact
	MinScore     float64   // of a relation, or of a mention where mentions are counted
	Document     string    // id of the document
	Source       string    // what the ids of documents have before their first colon, for example "PMID"
	From, To     time.Time // when the document was submitted: from From, before To; zero is open
}

// ParseTime reads the bounds From and To of a Filter as people write them: a day, which
// begins at midnight UTC, or a time of RFC 3339.
func ParseTime(text string) (time.Time, error) {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time: write a day like 2026-01-31 or a time like 2026-01-31T12:00:00Z", text)
}

// LetsDocument reports whether what a document says counts.
func (f Filter) LetsDocument(id string, submitted time.Time) bool {
	switch {
	case f.Document != "" && f.Document != id,
		f.Source != "" && !strings.HasPrefix(id, f.Source+":"),
		!f.From.IsZero() && submitted.Before(f.From),
		!f.To.IsZero() && !submitted.Before(f.To):
		return false
	}
	return true
}

// Order is an order of lists. Ties are in order of the keys.
type Order string

// The orders of lists.
const (
	ByConcept   Order = "concept"   // by FactKey, or by CUI
	ByScore     Order = "score"     // by NoisyOr, the highest first; of facts only
	ByDocuments Order = "documents" // by the number of documents, the highest first
)

// FactQuery asks for facts.
type FactQuery struct {
	Filter
	Concepts []CUI   // one of them at either end; none: all
	Other    CUI     // and this one at the other end, unless it is empty
	Label    string  // empty: all
	Order    Order   // empty: ByConcept
	After    *Cursor // the last fact of the page before; nil: from the beginning
	Limit    int
}

// Cursor is a place in an ordered list of facts.
type Cursor struct {
	Rank float64 // what the order goes by: NoisyOr or Documents; 0 in order of the keys
	Key  FactKey
}

// CursorOf is the place of a fact in an order.
func (o Order) CursorOf(fact Fact) Cursor {
	cursor := Cursor{Key: fact.Key()}
	switch o {
	case ByScore:
		cursor.Rank = fact.NoisyOr
	case ByDocuments:
		cursor.Rank = float64(fact.Documents)
	}
	return cursor
}

// Compare orders places.
func (c Cursor) Compare(o Cursor) int {
	return cmp.Or(cmp.Compare(o.Rank, c.Rank), c.Key.Compare(o.Key))
}

// EvidenceQuery asks for the relations behind a fact.
type EvidenceQuery struct {
	Filter // but for the semantic type: see EvidenceOf
	Key    FactKey
	After  *EvidenceCursor // the last of the page before; nil: from the beginning
	Limit  int
}

// EvidenceCursor is a place in the list of evidence of a fact.
type EvidenceCursor struct {
	Score    float64
	Document string
	Place    int // in Document.Relations
}

// Compare orders places.
func (c EvidenceCursor) Compare(o EvidenceCursor) int {
	return cmp.Or(cmp.Compare(o.Score, c.Score), cmp.Compare(c.Document, o.Document), cmp.Compare(c.Place, o.Place))
}

// Evidence is a relation in a document that tells a fact.
type Evidence struct {
	Document Document // without mentions and relations
	Place    int      // of the relation in the document
	Relation Extraction
	Head     Mention // offsets in code points
	Tail     Mention
}

// Cursor is the place of the evidence in the list.
func (e Evidence) Cursor() EvidenceCursor {
	return EvidenceCursor{e.Relation.Score, e.Document.ID, e.Place}
}

// EvidenceAt is the evidence that the relation at a place of a document gives.
func EvidenceAt(doc Document, place int) (Evidence, error) {
	if place < 0 || place >= len(doc.Relations) {
		return Evidence{}, fmt.Errorf("document %q has no relation at place %d", doc.ID, place)
	}
	e := Evidence{Place: place, Relation: doc.Relations[place]}
	for _, mention := range doc.Mentions {
		if mention.ID == e.Relation.Head {
			e.Head = mention
		}
		if mention.ID == e.Relation.Tail {
			e.Tail = mention
		}
	}
	doc.Mentions, doc.Relations = nil, nil
	e.Document = doc
	return e, nil
}

// SeenQuery asks for the concepts that documents name.
type SeenQuery struct {
	Filter
	Order Order       // ByConcept or ByDocuments; empty: ByConcept
	After *SeenCursor // the last of the page before; nil: from the beginning
	Limit int
}

// SeenConcept is a concept that documents name.
type SeenConcept struct {
	ConceptName
	Documents int `json:"documents"`
	Mentions  int `json:"mentions"`
}

// SeenCursor is a place in a list of concepts.
type SeenCursor struct {
	Rank float64 // Documents, or 0 in order of the CUIs
	CUI  CUI
}

// SeenCursorOf is the place of a concept in an order.
func (o Order) SeenCursorOf(concept SeenConcept) SeenCursor {
	cursor := SeenCursor{CUI: concept.CUI}
	if o == ByDocuments {
		cursor.Rank = float64(concept.Documents)
	}
	return cursor
}

// Compare orders places.
func (c SeenCursor) Compare(o SeenCursor) int {
	return cmp.Or(cmp.Compare(o.Rank, c.Rank), cmp.Compare(c.CUI, o.CUI))
}

// ErrTooBroad is returned, wrapped, when a question leads through too much to be answered.
var ErrTooBroad = errors.New("too broad")
