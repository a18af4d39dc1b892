package umls

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/keci-kg/keci/graph"
)

// SemanticTypes gives the semantic types in order of TUI: those of SRDEF, or
// where there is none, those that MRSTY names.
func (r *Release) SemanticTypes(ctx context.Context) iter.Seq2[graph.SemanticType, error] {
	return func(yield func(graph.SemanticType, error) bool) {
		types, err := r.semanticTypes(ctx)
		if err != nil {
			yield(graph.SemanticType{}, err)
			return
		}
		groupOf, err := r.semanticGroups(ctx)
		if err != nil {
			yield(graph.SemanticType{}, err)
			return
		}
		for _, tui := range slices.Sorted(maps.Keys(types)) {
			t := types[tui]
			t.Group = groupOf[tui]
			if !yield(t, nil) {
				return
			}
		}
	}
}

func (r *Release) semanticTypes(ctx context.Context) (map[graph.TUI]graph.SemanticType, error) {
	if r.has(srdef) {
		network, err := r.network(ctx)
		return network.types, err
	}
	types := map[graph.TUI]graph.SemanticType{}
	tui, number, name := mrsty.column("TUI"), mrsty.column("STN"), mrsty.column("STY")
	for row, err := range r.rows(ctx, mrsty) {
		if err != nil {
			return nil, err
		}
		if _, known := types[graph.TUI(row.fields[tui])]; known {
			continue
		}
		id := graph.TUI(row.fields[tui])
		types[id] = graph.SemanticType{TUI: id, Name: string(row.fields[name]), TreeNumber: string(row.fields[number])}
	}
	return types, nil
}

// semanticGroups reads SemGroups.txt, which comes apart from the releases.
func (r *Release) semanticGroups(ctx context.Context) (map[graph.TUI]string, error) {
	groupOf := map[graph.TUI]string{}
	group, tui := groups.column("GROUP"), groups.column("TUI")
	for row, err := range r.rows(ctx, groups) {
		if err != nil {
			return nil, err
		}
		groupOf[graph.TUI(row.fields[tui])] = row.text(group)
	}
	return groupOf, nil
}

// network is what SRDEF defines.
type network struct {
	types  map[graph.TUI]graph.SemanticType
	labels map[string]string    // id of a relation → its name
	named  map[string]graph.TUI // name of a type → its id
}

func (r *Release) network(ctx context.Context) (network, error) {
	n := network{map[graph.TUI]graph.SemanticType{}, map[string]string{}, map[string]graph.TUI{}}
	kind, id, name := srdef.column("RT"), srdef.column("UI"), srdef.column("NAME")
	number, def, abbreviation := srdef.column("NUMBER"), srdef.column("DEF"), srdef.column("ABR")
	for row, err := range r.rows(ctx, srdef) {
		if err != nil {
			return n, err
		}
		switch string(row.fields[kind]) {
		case "STY":
			tui := graph.TUI(row.fields[id])
			n.types[tui] = graph.SemanticType{
				TUI:          tui,
				Abbreviation: string(row.fields[abbreviation]),
				Name:         string(row.fields[name]),
				TreeNumber:   string(row.fields[number]),
				Definition:   row.text(def),
			}
			n.named[n.types[tui].Name] = tui
		case "RL":
			n.labels[string(row.fields[id])] = string(row.fields[name])
		default:
			if err := r.report(row.problem(BadValue, kind, "the kind (RT) is %q, neither STY nor RL", row.fields[kind])); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// TypeRelations gives the relations between semantic types, sorted by head,
// label and tail: the inherited ones of SRSTRE1 or SRSTRE2, or where there is
// neither, the asserted ones of SRSTR. Rows between relations are passed over, and
// so are those of SRSTR that it blocks: which do not hold, though they would be inherited.
func (r *Release) TypeRelations(ctx context.Context) iter.Seq2[graph.TypeRelation, error] {
	return func(yield func(graph.TypeRelation, error) bool) {
		relations, err := r.typeRelations(ctx)
		if err != nil {
			yield(graph.TypeRelation{}, err)
			return
		}
		slices.SortFunc(relations, graph.TypeRelation.Compare)
		for _, relation := range slices.Compact(relations) {
			if !yield(relation, nil) {
				return
			}
		}
	}
}

func (r *Release) typeRelations(ctx context.Context) ([]graph.TypeRelation, error) {
	network, err := r.network(ctx)
	if err != nil {
		return nil, err
	}
	switch {
	case r.has(srstre1):
		return r.inheritedRelations(ctx, network)
	case r.has(srstre2):
		return r.namedRelations(ctx, srstre2, network)
	}
	return r.namedRelations(ctx, srstr, network)
}

func (r *Release) inheritedRelations(ctx context.Context, n network) ([]graph.TypeRelation, error) {
	var relations []graph.TypeRelation
	for row, err := range r.rows(ctx, srstre1) {
		if err != nil {
			return nil, err
		}
		head, tail := graph.TUI(row.fields[0]), graph.TUI(row.fields[2])
		label, known := n.labels[string(row.fields[1])]
		if !known {
			if err := r.report(row.problem(BadValue, 1, "the relation %s is not in SRDEF", row.fields[1])); err != nil {
				return nil, err
			}
			continue
		}
		_, headIsType := n.types[head]
		_, tailIsType := n.types[tail]
		if headIsType && tailIsType {
			relations = append(relations, graph.TypeRelation{Head: head, Label: label, Tail: tail})
		}
	}
	return relations, nil
}

// blocked is the link status (LS) of a relation that does not hold.
const blocked = "B"

// namedRelations reads a table that gives names instead of identifiers.
func (r *Release) namedRelations(ctx context.Context, t *table, n network) ([]graph.TypeRelation, error) {
	var relations []graph.TypeRelation
	status := t.column("LS")
	for row, err := range r.rows(ctx, t) {
		if err != nil {
			return nil, err
		}
		if status >= 0 && string(row.fields[status]) == blocked {
			continue
		}
		head, headIsType := n.named[string(row.fields[0])]
		tail, tailIsType := n.named[string(row.fields[2])]
		if headIsType && tailIsType {
			relations = append(relations, graph.TypeRelation{Head: head, Label: string(row.fields[1]), Tail: tail})
		}
	}
	return relations, nil
}

// Sources gives the source vocabularies that MRSAB lists as part of the
// release (SABIN), in order of abbreviation. Licence is SLC, which says whom to
// ask for a licence or which it is, and Contact is SCC.
func (r *Release) Sources(ctx context.Context) ([]graph.SourceInfo, error) {
	var sources []graph.SourceInfo
	column := func(r *row, name string) string { return string(r.fields[mrsab.column(name)]) }
	for row, err := range r.rows(ctx, mrsab) {
		if err != nil {
			return nil, fmt.Errorf("reading the sources: %w", err)
		}
		if column(row, "SABIN") != "Y" || !r.options.source(row.fields[mrsab.column("RSAB")]) {
			continue
		}
		sources = append(sources, graph.SourceInfo{
			Abbreviation: column(row, "RSAB"),
			Name:         column(row, "SON"),
			Version:      column(row, "SVER"),
			Licence:      column(row, "SLC"),
			Contact:      column(row, "SCC"),
			Attribution:  column(row, "SCIT"),
		})
	}
	slices.SortFunc(sources, func(a, b graph.SourceInfo) int { return cmp.Compare(a.Abbreviation, b.Abbreviation) })
	return sources, nil
}
