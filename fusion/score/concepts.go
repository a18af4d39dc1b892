package score

import (
	"strings"

	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/graph"
)

// Concepts is for corpora whose relations are of concepts (corpus.Corpus.OfConcepts),
// such as [corpus.BC5CDR] and BioRED. Entities are compared as by [Strict]. Of relations the two
// concepts and the label are compared, per document and whatever mentions they
// were found between; a relation that is found twice counts once.
//
// The concepts of a predicted mention are those that the corpus gives for its text
// and type anywhere in the same document, whatever the case: so a relation is right
// when both its entities were found by a name that the document has for them. A
// mention whose text is annotated nowhere stands for a concept of its own, and so
// makes a relation wrong; one whose text is annotated without a concept counts in
// no relation. Result.LinkedRelations compares what the linker made of
// the mentions instead. The figures are micro F1.
func Concepts(gold corpus.Corpus, predicted []graph.Document) (Result, error) {
	pairs, result, err := match(gold, predicted)
	if err != nil {
		return Result{}, err
	}
	result.compareStrictly(pairs)
	result.RelationLabels = ByLabel{}
	documents := map[string]graph.Document{}
	for _, doc := range predicted {
		documents[doc.ID] = doc
	}
	var linked Counts
	for _, p := range pairs {
		doc := documents[p.example.ID]
		annotated := goldConcepts(p.example, gold.Directed)
		known := conceptsByName(p.example)
		found := predictedConcepts(doc, gold.Directed, known.of)
		compare(annotated, found, func(r corpus.ConceptRelation, c Counts) {
			result.RelationLabels[r.Label] = result.RelationLabels[r.Label].Add(c)
		})
		compare(identified(annotated, gold.Directed), predictedConcepts(doc, gold.Directed, linkedConcepts), func(_ corpus.ConceptRelation, c Counts) {
			linked = linked.Add(c)
		})
	}
	result.Entities, result.Relations = result.EntityTypes.Micro(), result.RelationLabels.Micro()
	result.EntityF1, result.RelationF1 = Headline(gold.Name, result)
	result.LinkedRelations = &linked
	return result, nil
}

// goldConcepts are the annotated relations of an example.
func goldConcepts(e corpus.Example, directed bool) map[corpus.ConceptRelation]bool {
	relations := map[corpus.ConceptRelation]bool{}
	for _, r := range e.ConceptRelations {
		relations[conceptRelation(r.Head, r.Tail, r.Label, directed)] = true
	}
	return relations
}

// identified are the same relations with ids as [corpus.Identifier] writes them.
func identified(annotated map[corpus.ConceptRelation]bool, directed bool) map[corpus.ConceptRelation]bool {
	relations := map[corpus.ConceptRelation]bool{}
	for r := range annotated {
		relations[conceptRelation(corpus.Identifier(r.Head), corpus.Identifier(r.Tail), r.Label, directed)] = true
	}
	return relations
}

func conceptRelation(head, tail, label string, directed bool) corpus.ConceptRelation {
	if !directed && tail < head {
		head, tail = tail, head
	}
	return corpus.ConceptRelation{Head: head, Tail: tail, Label: label}
}

// predictedConcepts are the relations of a document between concepts, which of
// gives for a mention.
func predictedConcepts(doc graph.Document, directed bool, of func(graph.Mention) []string) map[corpus.ConceptRelation]bool {
	concepts := map[string][]string{}
	for _, m := range doc.Mentions {
		concepts[m.ID] = of(m)
	}
	relations := map[corpus.ConceptRelation]bool{}
	for _, r := range doc.Relations {
		for _, head := range concepts[r.Head] {
			for _, tail := range concepts[r.Tail] {
				relations[conceptRelation(head, tail, r.Label, directed)] = true
			}
		}
	}
	return relations
}

// namedConcepts are the concepts that a document gives for a type and a name.
type namedConcepts map[[2]string][]string

// conceptsByName reads the annotations of a document.
func conceptsByName(e corpus.Example) namedConcepts {
	known, seen := namedConcepts{}, map[[3]string]bool{}
	for _, m := range e.Entities {
		key := nameKey(m.Type, e.Text[m.Start:m.End])
		known[key] = known[key] // also where the concept is not known
		for _, id := range m.Concepts {
			if !seen[[3]string{key[0], key[1], id}] {
				seen[[3]string{key[0], key[1], id}] = true
				known[key] = append(known[key], id)
			}
		}
	}
	return known
}

func nameKey(typ, name string) [2]string { return [2]string{typ, strings.ToLower(name)} }

// of gives the concepts of a mention: for an unknown name one of its own.
func (n namedConcepts) of(m graph.Mention) []string {
	if ids, ok := n[nameKey(m.Type, m.Text)]; ok {
		return ids
	}
	return []string{unknownPrefix + strings.ToLower(m.Text)}
}

// judgeConcepts tells of each relation of a document whether one of the pairs of
// concepts that it stands for is annotated.
func judgeConcepts(e corpus.Example, doc graph.Document, directed bool) []bool {
	annotated, known := goldConcepts(e, directed), conceptsByName(e)
	right := make([]bool, len(doc.Relations))
	for i, r := range doc.Relations {
		one := doc
		one.Relations = []graph.Extraction{r}
		for found := range predictedConcepts(one, directed, known.of) {
			right[i] = right[i] || annotated[found]
		}
	}
	return right
}

// unknownPrefix begins what stands for the concept of an unknown name; no id does.
const unknownPrefix = "\x00"

// linkedConcepts are the ids ([corpus.Identifiers]) of the first concept of a mention that has
// some; where none has, the mention stands for a concept of its own.
func linkedConcepts(m graph.Mention) []string {
	for _, c := range m.Concepts {
		if ids := corpus.Identifiers(c); len(ids) > 0 {
			return ids
		}
	}
	return []string{unknownPrefix + strings.ToLower(m.Text)}
}
