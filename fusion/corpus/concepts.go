package corpus

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strings"

	"github.com/keci-kg/keci/graph/format"
	"github.com/keci-kg/keci/linker"
)

// chemDisGeneTypes are the entity types of ChemDisGene; its abstracts come with
// others that PubTator found as well, such as species, and no relation has those.
var chemDisGeneTypes = []string{"Chemical", "Disease", "Gene"}

// The files of ChemDisGene: abstracts with mentions, and beside them relations.
const (
	abstractsPart = "_abstracts.txt"
	relationsPart = "_relationships.tsv"
)

// ConceptRelation is a relation that a document as a whole states of two concepts.
// They are ids that Entity.Concepts has.
type ConceptRelation struct{ Head, Tail, Label string }

// readBC5CDR reads the BioCreative V CDR corpus: PubTator, whose relations are of
// concepts.
func readBC5CDR(path string, told *relationsTold) iter.Seq2[Example, error] {
	return checked(readDocuments(path, format.PubTator, told))
}

// readChemDisGene reads abstracts of ChemDisGene with the relations that lie beside
// them.
func readChemDisGene(path string, told *relationsTold) iter.Seq2[Example, error] {
	return func(yield func(Example, error) bool) {
		relations, err := readRelations(strings.Replace(path, abstractsPart, relationsPart, 1), path)
		if err != nil {
			yield(Example{File: path}, fmt.Errorf("%w: %w", err, errSyntax))
			return
		}
		for e, err := range readDocuments(path, format.PubTator, told) {
			if err == nil {
				e.ConceptRelations = append(e.ConceptRelations, relations[e.ID]...)
				err = e.checkConcepts()
				e.keepTypes(chemDisGeneTypes)
				e.relateMentions(e.ConceptRelations, linker.Sentences(e.Text))
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// checked looks whether the relations are of concepts that are mentioned.
func checked(examples iter.Seq2[Example, error]) iter.Seq2[Example, error] {
	return func(yield func(Example, error) bool) {
		for e, err := range examples {
			if err == nil {
				err = e.checkConcepts()
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// checkConcepts reports a relation of a concept that no mention denotes.
func (e Example) checkConcepts() error {
	known := map[string]bool{}
	for _, m := range e.Entities {
		for _, id := range m.Concepts {
			known[id] = true
		}
	}
	for _, r := range e.ConceptRelations {
		for _, id := range []string{r.Head, r.Tail} {
			if !known[id] {
				return fmt.Errorf("document %q: relation %s of %s and %s: no mention of the text denotes %s", e.ID, r.Label, r.Head, r.Tail, id)
			}
		}
	}
	return nil
}

// keepTypes leaves out entities of other types, and the relations of concepts that
// only they denote. It is for examples whose entities are in no relation by index.
func (e *Example) keepTypes(types []string) {
	e.Entities = slices.DeleteFunc(e.Entities, func(m Entity) bool { return !slices.Contains(types, m.Type) })
	known := map[string]bool{}
	for i := range e.Entities {
		e.Entities[i].Cluster = i
		for _, id := range e.Entities[i].Concepts {
			known[id] = true
		}
	}
	e.ConceptRelations = slices.DeleteFunc(e.ConceptRelations, func(r ConceptRelation) bool { return !known[r.Head] || !known[r.Tail] })
}

// readRelations reads a file of relations: document, label and two concepts in
// columns.
func readRelations(path, abstracts string) (map[string][]ConceptRelation, error) {
	if path == abstracts {
		return nil, fmt.Errorf("the name has no %q, so that the file of relations is not known: it is that name with %q", abstractsPart, relationsPart)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("the relations of the abstracts: %w", err)
	}
	defer file.Close()
	var in io.Reader = file
	if strings.HasSuffix(path, ".gz") {
		if in, err = gzip.NewReader(file); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	relations := map[string][]ConceptRelation{}
	lines := bufio.NewScanner(in)
	for number := 1; lines.Scan(); number++ {
		columns := strings.Split(lines.Text(), "\t")
		if len(columns) != 4 || slices.Contains(columns, "") {
			return nil, fmt.Errorf("%s:%d: a relation has 4 columns (document, label, concept, concept): %.60q", path, number, lines.Text())
		}
		r := ConceptRelation{Head: columns[2], Tail: columns[3], Label: columns[1]}
		if !slices.Contains(relations[columns[0]], r) {
			relations[columns[0]] = append(relations[columns[0]], r)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return relations, nil
}

// relateMentions makes relations of mentions out of those of concepts: between all
// mentions of the two that share one of the given parts of the text. It gives those
// of the concepts that have such mentions.
func (e *Example) relateMentions(ofConcepts []ConceptRelation, parts []linker.Range) (related []ConceptRelation) {
	if len(ofConcepts) == 0 {
		return nil
	}
	places := e.conceptPlaces(parts)
	for _, r := range ofConcepts {
		before := len(e.Relations)
		for _, head := range places[r.Head] {
			for _, tail := range places[r.Tail] {
				if head.part == tail.part && head.mention != tail.mention {
					e.Relations = append(e.Relations, Relation{head.mention, tail.mention, r.Label})
				}
			}
		}
		if len(e.Relations) > before {
			related = append(related, r)
		}
	}
	e.sortRelations()
	e.Relations = slices.Compact(e.Relations)
	return related
}
