package umls

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/keci-kg/keci/graph"
)

// Concepts gives the concepts in ascending order of CUI: MRCONSO joined with
// MRSTY and MRDEF. A concept without a name in the languages and sources asked
// for, or without one of the types, is passed over. The tables must be sorted by
// CUI, as releases are; one that is not is an error that says so.
func (r *Release) Concepts(ctx context.Context) iter.Seq2[graph.Concept, error] {
	return func(yield func(graph.Concept, error) bool) {
		join := r.newJoin(ctx)
		defer join.stop()
		cuis := &graph.CUISet{}
		met := map[string]bool{} // languages and sources
		atoms := atomGroup{release: r}
		fail := func(err error) { yield(graph.Concept{}, err) }
		for row, err := range r.rows(ctx, mrconso) {
			if err != nil {
				fail(err)
				return
			}
			if cui := row.fields[colCUI]; string(atoms.cui) != string(cui) {
				if err := checkOrder(row, string(atoms.cui), string(cui)); err != nil {
					fail(err)
					return
				}
				if !join.emit(&atoms, yield) {
					return
				}
				atoms.reset(graph.CUI(cui))
				cuis.Add(atoms.cui)
			}
			for _, column := range []int{colLAT, colSAB} {
				if value := row.fields[column]; !met[string(value)] {
					met[string(value)] = true
				}
			}
			if err := r.report(atoms.add(row)); err != nil {
				fail(err)
				return
			}
		}
		if !join.emit(&atoms, yield) {
			return
		}
		if err := cmp.Or(join.finish(), r.report(r.notThere(met)), r.report(r.typesNotThere(join.met))); err != nil {
			fail(err)
			return
		}
		r.cuis = cuis
	}
}

// notThere is the problem that no name is of a language or source that is asked for.
func (r *Release) notThere(met map[string]bool) *Problem {
	asked := slices.DeleteFunc(slices.Concat(r.options.Languages, r.options.Sources), func(a string) bool { return met[a] })
	if len(asked) == 0 {
		return nil
	}
	return &Problem{Kind: NotThere, File: r.files[mrconso.name].name, Message: fmt.Sprintf("no name is of %s", strings.Join(asked, ", "))}
}

// typesNotThere is the problem that no concept has a semantic type that is asked for.
func (r *Release) typesNotThere(met map[graph.TUI]bool) *Problem {
	var asked []string
	for _, tui := range r.options.Types {
		if !met[tui] {
			asked = append(asked, string(tui))
		}
	}
	if len(asked) == 0 {
		return nil
	}
	return &Problem{Kind: NotThere, File: r.files[mrsty.name].name, Message: fmt.Sprintf("no concept is of the semantic type %s", strings.Join(asked, ", "))}
}

// The columns of MRCONSO that are used.
var (
	colCUI      = mrconso.column("CUI")
	colLAT      = mrconso.column("LAT")
	colTS       = mrconso.column("TS")
	colSTT      = mrconso.column("STT")
	colISPREF   = mrconso.column("ISPREF")
	colAUI      = mrconso.column("AUI")
	colSAB      = mrconso.column("SAB")
	colTTY      = mrconso.column("TTY")
	colCODE     = mrconso.column("CODE")
	colSTR      = mrconso.column("STR")
	colSUPPRESS = mrconso.column("SUPPRESS")
)

// atomGroup gathers the atoms (names) of one concept.
type atomGroup struct {
	release *Release
	cui     graph.CUI
	names   []string // distinct, in order of the table
	seen    map[string]bool
	best    int // index in names of the preferred name
	rank    int // preferred-ness of best
	sources map[string]bool
	codes   map[graph.Code]bool
	atoms   map[string]int // AUI → its preferred-ness
}

func (g *atomGroup) reset(cui graph.CUI) {
	*g = atomGroup{
		release: g.release, cui: cui, rank: -1,
		seen: map[string]bool{}, sources: map[string]bool{}, codes: map[graph.Code]bool{}, atoms: map[string]int{},
	}
}

// add adds an atom, if it is wanted.
func (g *atomGroup) add(r *row) *Problem {
	o := &g.release.options
	if suppressed(r.fields[colSUPPRESS]) || !o.language(r.fields[colLAT]) || !o.source(r.fields[colSAB]) {
		return nil
	}
	name := r.text(colSTR)
	if name == "" {
		return r.problem(BadValue, colSTR, "the name (STR) is empty")
	}
	if !g.seen[name] {
		g.seen[name] = true
		g.names = append(g.names, name)
	}
	rank := g.release.preference(r)
	if rank > g.rank {
		g.rank, g.best = rank, slices.Index(g.names, name)
	}
	source := r.text(colSAB)
	g.sources[source] = true
	g.atoms[r.text(colAUI)] = rank
	if code := r.text(colCODE); code != "" && code != "NOCODE" {
		g.codes[graph.Code{Source: source, Code: code}] = true
	}
	return nil
}

// preference ranks an atom as the name of its concept: the first language
// before the others, then the rank of its source and kind of term in MRRANK,
// then the preferred term, its preferred form and the atom preferred for that form.
func (r *Release) preference(row *row) int {
	rank := 0
	if row.text(colLAT) == r.options.Languages[0] {
		rank = 1 << 16
	}
	rank |= r.ranks[termType{row.text(colSAB), row.text(colTTY)}]
	for _, better := range []bool{row.text(colTS) == "P", row.text(colSTT) == "PF", row.text(colISPREF) == "Y"} {
		rank <<= 1
		if better {
			rank |= 1
		}
	}
	return rank
}

// concept is the group as a concept, still without types and definition.
func (g *atomGroup) concept() graph.Concept {
	c := graph.Concept{
		CUI:     g.cui,
		Name:    g.names[g.best],
		Sources: slices.Sorted(maps.Keys(g.sources)),
		Codes:   slices.AppendSeq(make([]graph.Code, 0, len(g.codes)), maps.Keys(g.codes)),
	}
	if len(g.names) > 1 {
		c.Synonyms = slices.Delete(slices.Clone(g.names), g.best, g.best+1)
	}
	slices.SortFunc(c.Codes, func(a, b graph.Code) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Code, b.Code))
	})
	return c
}

// join adds semantic types and definitions to the concepts, which must come in
// ascending order.
type join struct {
	release     *Release
	types, defs *cursor
	met         map[graph.TUI]bool // semantic types of concepts so far
}

func (r *Release) newJoin(ctx context.Context) *join {
	return &join{r, r.cursor(ctx, mrsty), r.cursor(ctx, mrdef), map[graph.TUI]bool{}}
}

func (j *join) stop() {
	j.types.stop()
	j.defs.stop()
}

// finish reads what is left of the tables.
func (j *join) finish() error { return cmp.Or(j.types.finish(), j.defs.finish()) }

// emit yields the concept of the atoms, if it is wanted, and reports whether to go on.
func (j *join) emit(atoms *atomGroup, yield func(graph.Concept, error) bool) bool {
	if len(atoms.names) == 0 {
		return true
	}
	concept := atoms.concept()
	var err error
	concept.SemanticTypes, err = j.typesOf(atoms.cui)
	if err == nil && len(concept.SemanticTypes) == 0 {
		err = j.release.report(&Problem{Kind: NoType, File: j.release.files[mrsty.name].name,
			Message: fmt.Sprintf("the concept %s, and maybe others, has no semantic type", atoms.cui)})
	}
	if err != nil {
		yield(graph.Concept{}, err)
		return false
	}
	if concept.Definition, err = j.definitionOf(atoms); err != nil {
		yield(graph.Concept{}, err)
		return false
	}
	if !j.release.options.anyType(concept.SemanticTypes) {
		return true
	}
	return yield(concept, nil)
}

func (j *join) typesOf(cui graph.CUI) ([]graph.TUI, error) {
	column := mrsty.column("TUI")
	types := []graph.TUI{}
	err := j.types.rowsOf(string(cui), func(r *row) error {
		types = append(types, graph.TUI(r.fields[column]))
		return nil
	})
	for _, tui := range types {
		j.met[tui] = true
	}
	slices.Sort(types)
	return slices.Compact(types), err
}

// definitionOf is the definition of the most preferred atom, the first one of
// several. That it belongs to an atom makes it one in their languages and sources.
func (j *join) definitionOf(atoms *atomGroup) (definition string, err error) {
	aui, def, suppress := mrdef.column("AUI"), mrdef.column("DEF"), mrdef.column("SUPPRESS")
	best := -1
	err = j.defs.rowsOf(string(atoms.cui), func(r *row) error {
		rank, known := atoms.atoms[string(r.fields[aui])]
		if len(j.release.ranks) == 0 {
			rank = 0 // without MRRANK, the order of the table
		}
		if known && rank > best && !suppressed(r.fields[suppress]) && len(r.fields[def]) > 0 {
			best, definition = rank, r.text(def)
		}
		return nil
	})
	return definition, err
}
