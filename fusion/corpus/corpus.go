// Package corpus reads annotated texts, the material the model learns from and
// is measured on, into one shape: texts with entity mentions and the relations
// among them. It reads BioRelEx, ADE, BC5CDR and ChemDisGene as their benchmarks
// have them, and annotated documents in the forms of package format.
//
// All offsets are bytes of the UTF-8 text, 0-based and end-exclusive, whatever
// the files count.
package corpus

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"os"
	"slices"
	"strings"

	"github.com/keci-kg/keci/graph/format"
)

// Names of the benchmarks that Read knows, each with rules of its own.
const (
	BioRelEx    = "biorelex"
	ADE         = "ade"
	BC5CDR      = "bc5cdr"
	ChemDisGene = "chemdisgene"
)

// Names lists the forms that Read knows: benchmarks, and documents as package
// format reads them.
func Names() []string {
	names := []string{BioRelEx, ADE, BC5CDR, ChemDisGene}
	for _, form := range documentForms {
		names = append(names, string(form))
	}
	return names
}

// Corpus is a list of annotated texts.
type Corpus struct {
	Name           string // one of Names
	Examples       []Example
	EntityTypes    []string // all that occur, sorted
	RelationLabels []string // all that occur, sorted
	Directed       bool     // whether Head and Tail of a relation may not be swapped
	Sentences      bool     // whether each example is one sentence, not a document
	OfConcepts     bool     // whether all relations are of concepts (Example.ConceptRelations), and are scored as such
}

// Example is one annotated text: a sentence, in BioRelEx and ADE.
type Example struct {
	File  string // that it was read from
	Line  int    // where it begins, from 1; 0 where the form has no lines
	ID    string // unique in its corpus
	Text  string
	In    Part   // which part of a document it is, if it is one
	Group string // examples of one group belong together (see Split): the paper, or the text where no paper is known

	Entities     []Entity      // by Start, then End, then Cluster
	Relations    []Relation    // by Head, then Tail
	Interactions []Interaction // BioRelEx only, in the order of the file

	ConceptRelations []ConceptRelation // of documents whose relations are of concepts, in the order of the file
}

// Part is a part of a document that was cut (see InWindows).
type Part struct {
	Document string // text of the whole document; empty for a text that was not cut
	Start    int    // where the part begins in it, in bytes
}

// Document is the text of the document that the example is a part of, and where it
// begins there, in bytes: of one that was not cut, its own text and 0.
func (e Example) Document() (text string, start int) {
	if e.In.Document == "" {
		return e.Text, 0
	}
	return e.In.Document, e.In.Start
}

// Place names where the example was read: "dev.json:17".
func (e Example) Place() string {
	if e.Line == 0 {
		return e.File
	}
	return fmt.Sprintf("%s:%d", e.File, e.Line)
}

// Entity is one mention of an entity. Mentions may overlap, and two clusters may
// share a span.
type Entity struct {
	Start, End int // bytes of Example.Text
	Type       string
	Cluster    int      // which entity is mentioned: mentions of one cluster are one thing, under one or several names
	Concepts   []string // ids that the corpus gives for it: several for a coordination, none where it knows none
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

// Reader reads corpora.
type Reader struct {
	// Invalid hears of every text that is passed over because it, or what is
	// annotated in it, is wrong. Where it is nil the first such text is an error.
	Invalid func(error)
}

// Read reads the corpus of the given form. The first invalid text is an error
// that names file, line and field.
func Read(name, path string) (Corpus, error) { return Reader{}.Read(name, path) }

// Read reads the corpus of the given form (one of Names) from a file or, where
// documents are in several, a folder. An error names file, line and field.
func (r Reader) Read(name, path string) (Corpus, error) {
	c := Corpus{Name: name}
	var told relationsTold
	var err error
	switch name {
	case BioRelEx:
		c.Sentences = true
		err = r.readFile(&c, path, func(data []byte) iter.Seq2[Example, error] { return readRecords(data, bioRelExRecord.example) })
	case ADE:
		c.Directed, c.Sentences = true, true
		err = r.readFile(&c, path, func(data []byte) iter.Seq2[Example, error] { return readRecords(data, adeRecord.example) })
	case BC5CDR:
		c.OfConcepts = true
		err = r.collect(&c, path, readBC5CDR(path, &told))
	case ChemDisGene:
		c.OfConcepts = true
		err = r.collect(&c, path, readChemDisGene(path, &told))
	case string(format.BioC), string(format.PubTator), string(format.Brat), string(format.JSONL):
		err = r.collect(&c, path, readDocuments(path, format.Kind(name), &told))
		c.OfConcepts = told.concepts && !told.mentions
	default:
		return Corpus{}, fmt.Errorf("unknown corpus %q: there are %s", name, strings.Join(Names(), ", "))
	}
	if err != nil {
		return Corpus{}, fmt.Errorf("read %s corpus: %w", name, err)
	}
	c.Directed = c.Directed || told.directed
	if !c.Directed {
		c.undirect()
	}
	if len(c.Examples) == 0 {
		return Corpus{}, fmt.Errorf("read %s corpus: %s: %w", name, path, ErrEmpty)
	}
	c.collectLabels()
	return c, nil
}

// ErrEmpty is returned, wrapped, for a corpus without a (valid) text.
var ErrEmpty = errors.New("there is no annotated text in it")

func (r Reader) readFile(c *Corpus, path string, parse func([]byte) iter.Seq2[Example, error]) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return r.collect(c, path, parse(data))
}

// collect adds the examples of a file to the corpus. No two may have one id.
func (r Reader) collect(c *Corpus, path string, examples iter.Seq2[Example, error]) error {
	places := map[string]string{}
	for e, err := range examples {
		if e.File == "" {
			e.File = path
		}
		if first, twice := places[e.ID]; err == nil && twice {
			err = fmt.Errorf("the id %q is taken by the text at %s: ids must be unique", e.ID, first)
		}
		if err == nil {
			places[e.ID] = e.Place()
			c.Examples = append(c.Examples, e)
			continue
		}
		err = fmt.Errorf("%s: %w", e.Place(), err)
		if r.Invalid == nil || errors.Is(err, errSyntax) {
			return err
		}
		r.Invalid(err)
	}
	return nil
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
		for _, r := range e.ConceptRelations {
			if c.OfConcepts {
				c.RelationLabels = append(c.RelationLabels, r.Label)
			}
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
	chosen := map[string]bool{}
	for _, g := range c.shuffledGroups(seed) {
		if g.size <= limit {
			chosen[g.name] = true
			limit -= g.size
		}
	}
	return chosen
}

// group is a group of examples with the number of them.
type group struct {
	name string
	size int
}

// shuffledGroups lists the groups in an order set by the seed and their names.
func (c Corpus) shuffledGroups(seed int64) []group {
	sizes := map[string]int{}
	for _, e := range c.Examples {
		sizes[e.Group]++
	}
	keys := map[string][sha256.Size]byte{}
	var groups []group
	for name, size := range sizes {
		groups = append(groups, group{name, size})
		keys[name] = sha256.Sum256(fmt.Appendf(nil, "%d %s", seed, name))
	}
	slices.SortFunc(groups, func(a, b group) int {
		first, second := keys[a.name], keys[b.name]
		return slices.Compare(first[:], second[:])
	})
	return groups
}

// Fold divides the examples for cross-validation: test is the given fold (from
// 0) of folds, train all others. Whole groups are in one fold, and the folds have
// about the same size. Like Split it depends on the seed and the names of the
// groups alone.
func (c Corpus) Fold(fold, folds int, seed int64) (train, test Corpus) {
	sizes := make([]int, folds)
	foldOf := map[string]int{}
	for _, g := range c.shuffledGroups(seed) {
		smallest := 0
		for i, size := range sizes {
			if size < sizes[smallest] {
				smallest = i
			}
		}
		foldOf[g.name] = smallest
		sizes[smallest] += g.size
	}
	train, test = c, c
	train.Examples, test.Examples = nil, nil
	for _, e := range c.Examples {
		if foldOf[e.Group] == fold {
			test.Examples = append(test.Examples, e)
		} else {
			train.Examples = append(train.Examples, e)
		}
	}
	return train, test
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
