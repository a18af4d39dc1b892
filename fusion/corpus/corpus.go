// Package corpus reads annotated texts, the material the model learns from and
// is measured on, into one shape: texts with entity mentions and the relations
// among them. It reads BioRelEx and ADE.
//
// All offsets are bytes of the UTF-8 text, 0-based and end-exclusive, whatever
// the files count.
package corpus

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"os"
	"slices"
)

// Names of the corpora that Read knows.
const (
	BioRelEx = "biorelex"
	ADE      = "ade"
)

// Corpus is a list of annotated texts.
type Corpus struct {
	Name           string // BioRelEx or ADE
	Examples       []Example
	EntityTypes    []string // all that occur, sorted
	RelationLabels []string // all that occur, sorted
	Directed       bool     // whether Head and Tail of a relation may not be swapped
}

// Example is one annotated text: a sentence, in BioRelEx and ADE.
type Example struct {
	ID    string // unique in its corpus
	Text  string
	Group string // examples of one group belong together (see Split): the paper, or the text where no paper is known

	Entities     []Entity      // by Start, then End, then Cluster
	Relations    []Relation    // by Head, then Tail
	Interactions []Interaction // BioRelEx only, in the order of the file
}

// Entity is one mention of an entity. Mentions may overlap, and two clusters may
// share a span.
type Entity struct {
	Start, End int // bytes of Example.Text
	Type       string
	Cluster    int // which entity is mentioned: mentions of one cluster are one thing, under one or several names
}

// Relation holds between two mentions.
type Relation struct {
	Head, Tail int // indices into Example.Entities; Head < Tail where the corpus is not Directed
	Label      string
}

// Interaction is a relation between two entities rather than two mentions: what
// the scoring of BioRelEx counts. Interactions may repeat and may join a cluster
// with itself.
type Interaction struct {
	A, B  int // clusters, see Entity.Cluster
	Label string
}

// Read reads the corpus of the given name (BioRelEx or ADE) from one JSON file.
// An error names the file, the record and the field at fault.
func Read(name, path string) (Corpus, error) {
	parse, ok := map[string]func([]byte) (Corpus, error){BioRelEx: parseBioRelEx, ADE: parseADE}[name]
	if !ok {
		return Corpus{}, fmt.Errorf("unknown corpus %q: use %q or %q", name, BioRelEx, ADE)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return Corpus{}, fmt.Errorf("read %s corpus: %w", name, err)
	}
	c, err := parse(data)
	if err != nil {
		return Corpus{}, fmt.Errorf("read %s corpus: %s: %w", name, path, err)
	}
	c.Name = name
	c.collectLabels()
	return c, nil
}

// collectLabels fills EntityTypes and RelationLabels from the examples.
func (c *Corpus) collectLabels() {
	for _, e := range c.Examples {
		for _, m := range e.Entities {
			c.EntityTypes = append(c.EntityTypes, m.Type)
		}
		for _, r := range e.Relations {
			c.RelationLabels = append(c.RelationLabels, r.Label)
		}
	}
	slices.Sort(c.EntityTypes)
	slices.Sort(c.RelationLabels)
	c.EntityTypes = slices.Compact(c.EntityTypes)
	c.RelationLabels = slices.Compact(c.RelationLabels)
}

// Split holds out about the given fraction (0…1) of the examples, never more.
// Whole groups are held out, so that sentences of one paper never fall on both
// sides. The choice depends on the seed and the names of the groups alone: it is
// the same on every machine and with every release of Go. Both sides keep the
// order of the examples, and the labels of the whole.
func (c Corpus) Split(fraction float64, seed int64) (rest, heldOut Corpus) {
	held := c.chooseGroups(int(fraction*float64(len(c.Examples))), seed)
	rest, heldOut = c, c
	rest.Examples, heldOut.Examples = nil, nil
	for _, e := range c.Examples {
		if held[e.Group] {
			heldOut.Examples = append(heldOut.Examples, e)
		} else {
			rest.Examples = append(rest.Examples, e)
		}
	}
	return rest, heldOut
}

// chooseGroups takes groups in an order set by the seed while they hold no more
// than limit examples together.
func (c Corpus) chooseGroups(limit int, seed int64) map[string]bool {
	sizes := map[string]int{}
	for _, e := range c.Examples {
		sizes[e.Group]++
	}
	type group struct {
		name string
		key  [sha256.Size]byte
	}
	groups := make([]group, 0, len(sizes))
	for name := range sizes {
		groups = append(groups, group{name, sha256.Sum256(fmt.Appendf(nil, "%d %s", seed, name))})
	}
	slices.SortFunc(groups, func(a, b group) int { return slices.Compare(a.key[:], b.key[:]) })
	chosen := map[string]bool{}
	for _, g := range groups {
		if sizes[g.name] <= limit {
			chosen[g.name] = true
			limit -= sizes[g.name]
		}
	}
	return chosen
}

// sortEntities brings the entities into the order that Example promises and
// returns the new index of each old one.
func (e *Example) sortEntities() []int {
	order := make([]int, len(e.Entities))
	for i := range order {
		order[i] = i
	}
	old := slices.Clone(e.Entities)
	slices.SortStableFunc(order, func(i, j int) int {
		a, b := old[i], old[j]
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End), cmp.Compare(a.Cluster, b.Cluster))
	})
	position := make([]int, len(order))
	for now, before := range order {
		e.Entities[now] = old[before]
		position[before] = now
	}
	return position
}

func (e *Example) sortRelations() {
	slices.SortFunc(e.Relations, func(a, b Relation) int {
		return cmp.Or(cmp.Compare(a.Head, b.Head), cmp.Compare(a.Tail, b.Tail), cmp.Compare(a.Label, b.Label))
	})
}
