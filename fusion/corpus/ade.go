package corpus

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// adeRecord is a tokenised sentence of ADE in the layout that SpERT gave it.
// Spans count tokens, 0-based and end-exclusive.
type adeRecord struct {
	Tokens    []string      `json:"tokens"`
	Entities  []adeEntity   `json:"entities"`
	Relations []adeRelation `json:"relations"`
	OrigID    any           `json:"orig_id"` // a number or a string, may be absent
}

type adeEntity struct {
	Type  string `json:"type"`
	Start int    `json:"start"`
	End   int    `json:"end"`
}

// adeRelation reads head –type→ tail: the adverse effect and the drug that caused it.
type adeRelation struct {
	Type string `json:"type"`
	Head int    `json:"head"`
	Tail int    `json:"tail"`
}

// example joins the tokens with single spaces. Each entity is its own cluster.
func (r adeRecord) example(index int) (Example, error) {
	id, err := r.id(index)
	text := strings.Join(r.Tokens, " ")
	e := Example{ID: id, Text: text, Group: text}
	switch {
	case err != nil:
		return e, err
	case len(r.Tokens) == 0:
		return e, errors.New("tokens is missing or empty")
	case slices.Contains(r.Tokens, ""):
		return e, fmt.Errorf("tokens[%d] is empty", slices.Index(r.Tokens, ""))
	}
	starts := tokenStarts(r.Tokens)
	for i, m := range r.Entities {
		if err := m.check(len(r.Tokens)); err != nil {
			return e, fmt.Errorf("entities[%d]: %w", i, err)
		}
		last := m.End - 1
		e.Entities = append(e.Entities, Entity{
			Start: starts[m.Start], End: starts[last] + len(r.Tokens[last]), Type: m.Type, Cluster: i,
		})
	}
	position := e.sortEntities()
	for i := range e.Entities {
		e.Entities[i].Cluster = i
	}
	for i, rel := range r.Relations {
		if err := rel.check(len(r.Entities)); err != nil {
			return e, fmt.Errorf("relations[%d]: %w", i, err)
		}
		e.Relations = append(e.Relations, Relation{Head: position[rel.Head], Tail: position[rel.Tail], Label: rel.Type})
	}
	e.sortRelations()
	return e, nil
}

// id is orig_id as text, or the index of the record where it has none.
func (r adeRecord) id(index int) (string, error) {
	switch id := r.OrigID.(type) {
	case nil:
		return strconv.Itoa(index), nil
	case string:
		return id, nil
	case float64:
		return strconv.FormatFloat(id, 'f', -1, 64), nil
	default:
		return strconv.Itoa(index), fmt.Errorf("orig_id is %v, must be a number or a string", id)
	}
}

func (m adeEntity) check(tokens int) error {
	if m.Type == "" {
		return errors.New("type is missing")
	}
	if m.Start < 0 || m.Start >= m.End || m.End > tokens {
		return fmt.Errorf("span [%d %d] is empty or lies outside the %d tokens", m.Start, m.End, tokens)
	}
	return nil
}

func (r adeRelation) check(entities int) error {
	if r.Type == "" {
		return errors.New("type is missing")
	}
	for _, i := range []int{r.Head, r.Tail} {
		if i < 0 || i >= entities {
			return fmt.Errorf("head %d or tail %d names no entity: there are %d", r.Head, r.Tail, entities)
		}
	}
	return nil
}

// tokenStarts gives the byte offset of each token once they are joined with spaces.
func tokenStarts(tokens []string) []int {
	starts := make([]int, len(tokens))
	at := 0
	for i, token := range tokens {
		starts[i] = at
		at += len(token) + 1
	}
	return starts
}
