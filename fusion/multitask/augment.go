package multitask

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/keci-kg/keci/fusion/corpus"
)

// names are the names that a corpus has for its concepts, by type: what mentions
// are replaced by. Concepts without an id go by their name.
type names map[string][][]string // type → concepts → names, all sorted

func namesOf(c corpus.Corpus) names {
	type key struct{ typ, concept string }
	seen := map[key]map[string]bool{}
	for _, e := range c.Examples {
		for _, m := range e.Entities {
			if len(m.Concepts) > 1 {
				continue // a coordination is the name of none
			}
			name := e.Text[m.Start:m.End]
			k := key{m.Type, conceptKeys(m, e.Text)[0]}
			if seen[k] == nil {
				seen[k] = map[string]bool{}
			}
			seen[k][name] = true
		}
	}
	keys := slices.SortedFunc(maps.Keys(seen), func(a, b key) int {
		return strings.Compare(a.typ+"\x00"+a.concept, b.typ+"\x00"+b.concept)
	})
	all := names{}
	for _, k := range keys {
		all[k.typ] = append(all[k.typ], slices.Sorted(maps.Keys(seen[k])))
	}
	return all
}

// replacedShare is the share of a text's concepts that augment replaces.
const replacedShare = 0.5

// augment gives a text in which some concepts are others of the same type, with
// names that the corpus has for these: what is said of them stays annotated. Each
// mention gets a name of its own choice. Overlapping mentions stay.
func (n names) augment(e corpus.Example, rng *rand.Rand) corpus.Example {
	chosen := map[string][]string{} // names of what takes the place of a concept; nil: it stays
	var text strings.Builder
	at, moved := 0, make([]corpus.Entity, len(e.Entities))
	end := 0
	for i, m := range e.Entities {
		moved[i] = m
		key := m.Type + "\x00" + conceptKeys(m, e.Text)[0]
		if _, known := chosen[key]; !known {
			chosen[key] = nil
			if others := n[m.Type]; len(others) > 0 && rng.Float64() < replacedShare {
				chosen[key] = others[rng.IntN(len(others))]
			}
		}
		overlaps := m.Start < end || i+1 < len(e.Entities) && e.Entities[i+1].Start < m.End
		end = max(end, m.End)
		if name := chosen[key]; name != nil && !overlaps && len(m.Concepts) < 2 {
			text.WriteString(e.Text[at:m.Start])
			start := text.Len()
			text.WriteString(name[rng.IntN(len(name))])
			moved[i].Start, moved[i].End = start, text.Len()
			at = m.End
			continue
		}
		shift := text.Len() - at
		moved[i].Start, moved[i].End = m.Start+shift, m.End+shift
	}
	text.WriteString(e.Text[at:])
	e.Text, e.Entities = text.String(), moved
	return e
}
