package ontology

import (
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/internal/spill"
	"github.com/keci-kg/keci/umls"
)

const nul = "\x00" // between the parts of what is sorted; less than any other byte

// Concepts gives the concepts in ascending order of CUI. Terms that name the same
// concept are one: the first one's name and definition, and the semantic types,
// names and codes of all.
func (o *Ontologies) Concepts(ctx context.Context) iter.Seq2[graph.Concept, error] {
	return func(yield func(graph.Concept, error) bool) {
		sorter := spill.New(ctx, "")
		defer sorter.Close()
		seen := make([]int32, len(o.index.terms))
		count := uint32(0)
		err := o.again(ctx, func(_ string, file int32) content {
			return &conceptWriter{ontologies: o, file: file, seen: seen, count: &count, sorter: sorter}
		})
		if err != nil {
			yield(graph.Concept{}, err)
			return
		}
		var current graph.Concept
		for record, err := range sorter.Sorted() {
			var next graph.Concept
			if err == nil {
				_, rest, _ := strings.Cut(record, nul)
				err = json.Unmarshal([]byte(rest[4:]), &next)
			}
			switch {
			case err != nil:
				yield(graph.Concept{}, err)
				return
			case current.CUI == "":
				current = next
			case current.CUI == next.CUI:
				current.SemanticTypes = unionTypes(current.SemanticTypes, next.SemanticTypes)
				current = current.Merge(next)
			default:
				if !yield(current, nil) {
					return
				}
				current = next
			}
		}
		if current.CUI != "" {
			yield(current, nil)
		}
	}
}

// conceptWriter sends the terms of a file to the sorter, by concept and place.
type conceptWriter struct {
	ontologies *Ontologies
	file       int32
	seen       []int32 // for each term the last file that had it, from 1
	count      *uint32
	sorter     *spill.Sorter
}

func (w *conceptWriter) header(header)           {}
func (w *conceptWriter) property(property)       {}
func (w *conceptWriter) relation(relation) error { return nil }

func (w *conceptWriter) term(t *term) error {
	at, known := w.ontologies.index.find(t.id)
	if t.obsolete || !known || t.name == "" || w.seen[at] == w.file+1 {
		return nil
	}
	w.seen[at] = w.file + 1
	content, err := json.Marshal(w.ontologies.concept(t, &w.ontologies.index.terms[at]))
	if err != nil {
		return err
	}
	*w.count++
	place := binary.BigEndian.AppendUint32(nil, *w.count)
	return w.sorter.Add(string(w.ontologies.index.terms[at].cui) + nul + string(place) + string(content))
}

// concept is a term as a concept.
func (o *Ontologies) concept(t *term, indexed *indexedTerm) graph.Concept {
	source := prefix(t.id)
	c := graph.Concept{
		CUI: indexed.cui, Name: t.name, Definition: strings.TrimSpace(t.definition),
		SemanticTypes: append([]graph.TUI{}, indexed.types...),
		Sources:       []string{source}, Codes: []graph.Code{{Source: source, Code: t.id}},
	}
	for _, s := range t.synonyms {
		if s.text != "" && s.text != c.Name && slices.Contains(o.options.Scopes, s.scope) && !slices.Contains(c.Synonyms, s.text) {
			c.Synonyms = append(c.Synonyms, s.text)
		}
	}
	return c
}

// Relations gives the relations between concepts, each once with all its sources,
// in ascending order of tail, head and label. That a term is more special than
// another reads special –isa→ general. Relations to terms of ontologies that are
// not read are left out.
func (o *Ontologies) Relations(ctx context.Context) iter.Seq2[graph.Relation, error] {
	return func(yield func(graph.Relation, error) bool) {
		sorter := spill.New(ctx, "")
		defer sorter.Close()
		err := o.again(ctx, func(path string, _ int32) content { return &relationWriter{o, path, sorter} })
		if err != nil {
			yield(graph.Relation{}, err)
			return
		}
		o.checked = true
		var current graph.Relation
		for record, err := range sorter.Sorted() {
			if err != nil {
				yield(graph.Relation{}, err)
				return
			}
			next := splitRelation(record)
			switch {
			case current.Head == "":
				current = next
			case current.Head == next.Head && current.Label == next.Label && current.Tail == next.Tail:
				current = current.Merge(next)
			default:
				if !yield(current, nil) {
					return
				}
				current = next
			}
		}
		if current.Head != "" {
			yield(current, nil)
		}
	}
}

func splitRelation(record string) graph.Relation {
	part := strings.Split(record, nul)
	rel := "RO"
	if part[2] == isA {
		rel = "CHD"
	}
	return graph.Relation{Tail: graph.CUI(part[0]), Head: graph.CUI(part[1]), Label: part[2], Rel: rel, Sources: part[3:]}
}

// relationWriter sends the relations of a file to the sorter.
type relationWriter struct {
	ontologies *Ontologies
	path       string
	sorter     *spill.Sorter
}

func (w *relationWriter) header(header)     {}
func (w *relationWriter) property(property) {}
func (w *relationWriter) term(*term) error  { return nil }

func (w *relationWriter) relation(r relation) error {
	x := w.ontologies.index
	kind := x.properties[r.label]
	head, known := x.find(r.head)
	if !known || kind.metadata {
		return nil
	}
	tail, known := x.find(r.tail)
	if !known {
		return w.unknown(r)
	}
	from, to := x.terms[head].cui, x.terms[tail].cui
	if from == to || r.label == isA && x.cyclic[[2]int32{head, tail}] {
		return nil
	}
	label := relationLabel(cmp.Or(kind.name, r.label))
	return w.sorter.Add(strings.Join([]string{string(to), string(from), label, prefix(r.head)}, nul))
}

// unknown tells of a relation to a term that its ontology, which is read, does not have.
func (w *relationWriter) unknown(r relation) error {
	if w.ontologies.checked || !w.ontologies.index.prefixes[prefix(r.tail)] || !strings.Contains(r.tail, ":") {
		return nil
	}
	return w.ontologies.options.Report.Tell(&umls.Problem{
		Kind: umls.Dangling, File: w.path, Line: int(r.at.line), Column: int(r.at.column),
		Message: fmt.Sprintf("%s is related to %s, which is no term or an obsolete one", r.head, r.tail),
	})
}

// SemanticTypes gives the types that the terms have, by their identifiers alone.
func (o *Ontologies) SemanticTypes(ctx context.Context) iter.Seq2[graph.SemanticType, error] {
	return func(yield func(graph.SemanticType, error) bool) {
		used := map[graph.TUI]bool{}
		for _, t := range o.index.terms {
			for _, tui := range t.types {
				used[tui] = true
			}
		}
		for _, tui := range slices.Sorted(maps.Keys(used)) {
			if !yield(graph.SemanticType{TUI: tui, Name: string(tui)}, ctx.Err()) {
				return
			}
		}
	}
}

// TypeRelations gives none: ontologies know no semantic types.
func (o *Ontologies) TypeRelations(context.Context) iter.Seq2[graph.TypeRelation, error] {
	return func(func(graph.TypeRelation, error) bool) {}
}

// Sources gives the ontologies that terms come from, by their prefixes, with what
// the files say of themselves.
func (o *Ontologies) Sources(context.Context) ([]graph.SourceInfo, error) {
	said := map[string]header{}
	for _, h := range o.index.headers {
		if _, known := said[h.sourceName()]; !known {
			said[h.sourceName()] = h
		}
	}
	var sources []graph.SourceInfo
	for name := range o.index.prefixes {
		h := said[name]
		sources = append(sources, graph.SourceInfo{Abbreviation: name, Name: h.title, Version: h.version, Licence: h.licence})
	}
	slices.SortFunc(sources, func(a, b graph.SourceInfo) int { return cmp.Compare(a.Abbreviation, b.Abbreviation) })
	return sources, nil
}

// Retired gives the identifiers of obsolete terms, of terms that name a concept of
// UMLS, and the further identifiers of others, with the concepts that took their place.
func (o *Ontologies) Retired(ctx context.Context) iter.Seq2[graph.Retired, error] {
	return func(yield func(graph.Retired, error) bool) {
		for _, r := range o.index.retired() {
			if !yield(r, ctx.Err()) || ctx.Err() != nil {
				return
			}
		}
	}
}
