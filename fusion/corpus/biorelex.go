package corpus

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// An interaction of BioRelEx has a type, in version 1.0 always "bind", and a
// label: 1 when the sentence says that it happens, -1 when it says that it does
// not, 0 when it leaves it open. The three are three labels here: the bare type,
// and the type with one of these suffixes.
const (
	suffixNegated   = "-negated"
	suffixUncertain = "-uncertain"
)

// bioRelExRecord is a sentence as BioRelEx 1.0 writes it. Spans count code
// points, 0-based and end-exclusive.
type bioRelExRecord struct {
	ID           string                `json:"id"`
	PaperID      string                `json:"paperid"`
	Text         string                `json:"text"`
	Entities     []bioRelExEntity      `json:"entities"`
	Interactions []bioRelExInteraction `json:"interactions"`
}

type bioRelExEntity struct {
	Label string                  `json:"label"`
	Names map[string]bioRelExName `json:"names"`
}

type bioRelExName struct {
	IsMentioned bool    `json:"is_mentioned"`
	Mentions    [][]int `json:"mentions"`
}

type bioRelExInteraction struct {
	Participants []int  `json:"participants"` // two indices into entities
	Type         string `json:"type"`
	Label        int    `json:"label"`
}

func (r bioRelExRecord) example(_ int) (Example, error) {
	e := Example{ID: r.ID, Text: r.Text, Group: r.PaperID}
	switch {
	case r.ID == "":
		return e, errors.New("id is missing")
	case r.Text == "":
		return e, errors.New("text is missing")
	case r.PaperID == "":
		e.Group = r.Text
	}
	offsets := codepointOffsets(r.Text)
	for cluster, entity := range r.Entities {
		if entity.Label == "" {
			return e, fmt.Errorf("entities[%d]: label is missing", cluster)
		}
		mentions, err := entity.mentions(cluster, r.Text, offsets)
		if err != nil {
			return e, fmt.Errorf("entities[%d]: %w", cluster, err)
		}
		e.Entities = append(e.Entities, mentions...)
	}
	e.sortEntities()
	for i, interaction := range r.Interactions {
		label, err := interaction.check(len(r.Entities))
		if err != nil {
			return e, fmt.Errorf("interactions[%d]: %w", i, err)
		}
		p := interaction.Participants
		e.Interactions = append(e.Interactions, Interaction{A: p[0], B: p[1], Label: label})
	}
	e.expandInteractions()
	return e, nil
}

// mentions are the places of the names that the sentence mentions, in the order
// of the names.
func (b bioRelExEntity) mentions(cluster int, text string, offsets []int) ([]Entity, error) {
	var entities []Entity
	for _, name := range slices.Sorted(maps.Keys(b.Names)) {
		n := b.Names[name]
		if !n.IsMentioned {
			continue
		}
		if len(n.Mentions) == 0 {
			return nil, fmt.Errorf("names[%q]: is_mentioned, but mentions is empty", name)
		}
		for i, span := range n.Mentions {
			start, end, err := byteSpan(span, offsets)
			if err == nil && text[start:end] != name {
				err = fmt.Errorf("span %v is %q in the text, not the name (spans count code points)", span, text[start:end])
			}
			if err != nil {
				return nil, fmt.Errorf("names[%q].mentions[%d]: %w", name, i, err)
			}
			entities = append(entities, Entity{Start: start, End: end, Type: b.Label, Cluster: cluster})
		}
	}
	return entities, nil
}

// check returns the name of the label of the interaction.
func (b bioRelExInteraction) check(clusters int) (label string, err error) {
	if len(b.Participants) != 2 {
		return "", fmt.Errorf("participants has %d members, must have 2", len(b.Participants))
	}
	for _, p := range b.Participants {
		if p < 0 || p >= clusters {
			return "", fmt.Errorf("participants names entity %d, but there are %d entities", p, clusters)
		}
	}
	if b.Type == "" {
		return "", errors.New("type is missing")
	}
	switch b.Label {
	case 1:
		return b.Type, nil
	case 0:
		return b.Type + suffixUncertain, nil
	case -1:
		return b.Type + suffixNegated, nil
	}
	return "", fmt.Errorf("label is %d, must be 1 (happens), 0 (left open) or -1 (does not happen)", b.Label)
}

// expandInteractions makes a relation of every pair of mentions of the two
// clusters of every interaction. A cluster that interacts with itself (a
// homodimer) gives the pairs of its different mentions, so none when it is
// mentioned once. Where clusters interact under several labels, their pairs get
// the one that sorts first: what is said to happen, then what is said not to.
func (e *Example) expandInteractions() {
	members := map[int][]int{}
	for i, m := range e.Entities {
		members[m.Cluster] = append(members[m.Cluster], i)
	}
	labels := map[[2]int]string{}
	for _, in := range e.Interactions {
		for _, a := range members[in.A] {
			for _, b := range members[in.B] {
				pair := [2]int{min(a, b), max(a, b)}
				if known, ok := labels[pair]; a != b && (!ok || in.Label < known) {
					labels[pair] = in.Label
				}
			}
		}
	}
	for pair, label := range labels {
		e.Relations = append(e.Relations, Relation{Head: pair[0], Tail: pair[1], Label: label})
	}
	e.sortRelations()
}

// codepointOffsets gives the byte offset of every code point of the text, and of its end.
func codepointOffsets(text string) []int {
	offsets := make([]int, 0, len(text)+1)
	for i := range text {
		offsets = append(offsets, i)
	}
	return append(offsets, len(text))
}

// byteSpan turns a [start, end) of code points into one of bytes.
func byteSpan(span, offsets []int) (start, end int, err error) {
	if len(span) != 2 {
		return 0, 0, fmt.Errorf("span %v has %d members, must have 2", span, len(span))
	}
	if length := len(offsets) - 1; span[0] < 0 || span[0] >= span[1] || span[1] > length {
		return 0, 0, fmt.Errorf("span %v is empty or lies outside the text of %d code points", span, length)
	}
	return offsets[span[0]], offsets[span[1]], nil
}
