package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/linker/quote"
)

func newGraphCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "graph",
		Short: "Ask what the stored documents say, all of them together",
		Long: `Reads what keci extract --store and keci serve have stored. A mention stands for the
first of its concepts, unless only a part of it has that name. Answers are JSON, one value a line. (A server that runs keeps
its data to itself: ask it over HTTP, or name another store.) Give the --kb, --terms and --stop-words that the documents were
read with: with others, what they say is first worked out anew.`,
		Example: "  keci graph relations --min-score 0.9",
	}
	cmd.AddCommand(newGraphConceptsCommand(), newGraphRelationsCommand(), newGraphEvidenceCommand(), newGraphPathsCommand(), newGraphExportCommand())
	return cmd
}

// graphFlags name a store, and bound what counts of it.
type graphFlags struct {
	data          string
	selection     selectionFlags
	store         storeFlags
	filter        graph.Filter
	since, before string
	limit         int
}

func (f *graphFlags) registerStore(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.data, "data", "", dataHelp)
	f.selection.register(flags)
	flags.StringVar(&f.store.address, "store", "", storeHelp+" (default: --data)")
	f.store.registerPassword(flags)
}

func (f *graphFlags) registerFilter(cmd *cobra.Command, limit int) {
	flags := cmd.Flags()
	flags.StringVar(&f.filter.Type, "type", "", "only mentions of this entity type, at either end of a relation")
	flags.StringVar((*string)(&f.filter.SemanticType), "semantic-type", "", "only concepts of this semantic type, such as T116, at either end")
	flags.Float64Var(&f.filter.MinScore, "min-score", 0, "the least score of what counts, 0 to 1")
	flags.StringVar(&f.filter.Document, "document", "", "only what the document with this `ID` says")
	flags.StringVar(&f.filter.Source, "source", "", "only documents whose ids have this before the first colon, such as PMID")
	flags.StringVar(&f.since, "since", "", "only documents submitted at this `TIME` (2026-01-31, or with T12:00:00Z) or later")
	flags.StringVar(&f.before, "before", "", "only documents submitted before this `TIME`")
	flags.IntVar(&f.limit, "limit", limit, "at most so many answers")
}

// check reads what is written as text.
func (f *graphFlags) check() (err error) {
	if f.filter.From, err = parseTime("since", f.since); err != nil {
		return err
	}
	if f.filter.To, err = parseTime("before", f.before); err != nil {
		return err
	}
	switch {
	case f.limit < 1:
		return usageError("--limit is %d: use 1 or more", f.limit)
	case !(f.filter.MinScore >= 0 && f.filter.MinScore <= 1):
		return usageError("--min-score is %g: use 0 to 1", f.filter.MinScore)
	}
	return nil
}

// parseTime reads the value of a flag (see graph.ParseTime), which may be left out.
func parseTime(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	at, err := graph.ParseTime(text)
	if err != nil {
		return at, usageError("--%s: %w", flag, err)
	}
	return at, nil
}

// ask opens the store and answers.
func (f *graphFlags) ask(cmd *cobra.Command, answer func(context.Context, graph.Store, *json.Encoder) error) (err error) {
	if err := f.check(); err != nil {
		return err
	}
	return f.withStore(cmd, func(ctx context.Context, store graph.Store) error {
		return answer(ctx, store, jsonLines(cmd.OutOrStdout()))
	})
}

func jsonLines(out io.Writer) *json.Encoder {
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(false)
	return lines
}

// withStore opens the store beside its knowledge base. It makes none.
func (f *graphFlags) withStore(cmd *cobra.Command, use func(context.Context, graph.Store) error) (err error) {
	if err := f.store.checkUse(cmd.Flags()); err != nil {
		return err
	}
	data := ""
	if f.store.address != "" {
		err = f.selection.checkStore()
	} else {
		data, err = storedData(f.data)
	}
	if err != nil {
		return err
	}
	kb, err := f.selection.Open(cmd.Context())
	if err != nil {
		return err
	}
	defer kb.Close()
	store, err := f.store.open(cmd.Context(), data, &f.selection, kb)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	return use(cmd.Context(), store)
}

// encodeAll writes values, one a line.
func encodeAll[T any](lines *json.Encoder, values []T) error {
	for _, value := range values {
		if err := lines.Encode(value); err != nil {
			return err
		}
	}
	return nil
}

func newGraphConceptsCommand() *cobra.Command {
	var f graphFlags
	var order string
	cmd := &cobra.Command{
		Use:     "concepts",
		Short:   "The concepts that the documents name, with how often they do",
		Example: "  keci graph concepts --semantic-type T116 --limit 20",
		Args:    exactArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkOrder(order, graph.ByDocuments, graph.ByConcept); err != nil {
				return err
			}
			return f.ask(cmd, func(ctx context.Context, store graph.Store, lines *json.Encoder) error {
				concepts, err := store.SeenConcepts(ctx, graph.SeenQuery{Filter: f.filter, Order: graph.Order(order), Limit: f.limit})
				return errors.Join(err, encodeAll(lines, concepts))
			})
		},
	}
	f.registerStore(cmd)
	f.registerFilter(cmd, 100)
	addOrderFlag(cmd, &order, graph.ByDocuments, graph.ByConcept)
	return cmd
}

// addOrderFlag adds --order, of which the first order is the default.
func addOrderFlag(cmd *cobra.Command, order *string, orders ...graph.Order) {
	cmd.Flags().StringVar(order, "order", string(orders[0]), "what comes first: "+alternatives(orders))
	completeKinds(cmd, "order", orders)
}

func checkOrder(order string, allowed ...graph.Order) error {
	for _, o := range allowed {
		if order == string(o) {
			return nil
		}
	}
	return usageError("--order is %q: use %s", order, alternatives(allowed))
}

// alternatives lists orders: "score or concept".
func alternatives(orders []graph.Order) string {
	text := string(orders[0])
	for i, o := range orders[1:] {
		if i == len(orders)-2 {
			text += " or " + string(o)
		} else {
			text += ", " + string(o)
		}
	}
	return text
}

func newGraphRelationsCommand() *cobra.Command {
	var f graphFlags
	var label, order string
	orders := []graph.Order{graph.ByScore, graph.ByDocuments, graph.ByConcept}
	cmd := &cobra.Command{
		Use:   "relations [CUI [CUI]]",
		Short: "What the documents say of concepts: of all, of one, or of two",
		Example: `  keci graph relations --order documents
  keci graph relations C0085149 --label bind`,
		Args: maximumArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkOrder(order, orders...); err != nil {
				return err
			}
			return f.ask(cmd, func(ctx context.Context, store graph.Store, lines *json.Encoder) error {
				ends, err := conceptIDs(args, toldIn(ctx, store))
				if err != nil {
					return err
				}
				query := graph.FactQuery{Filter: f.filter, Label: label, Order: graph.Order(order), Limit: f.limit}
				if len(ends) > 0 {
					query.Concepts = ends[:1]
				}
				if len(ends) > 1 {
					query.Other = ends[1]
				}
				facts, err := store.Facts(ctx, query)
				return errors.Join(err, encodeAll(lines, facts))
			})
		},
	}
	f.registerStore(cmd)
	f.registerFilter(cmd, 100)
	cmd.Flags().StringVar(&label, "label", "", "only relations of this label")
	addOrderFlag(cmd, &order, orders...)
	return cmd
}

// toldIn tells conceptIDs of the concepts that a knowledge base or a document has.
func toldIn(ctx context.Context, store graph.Store) func(graph.CUI) error {
	return func(cui graph.CUI) error { return graph.CheckConcept(ctx, store, cui) }
}

func newGraphEvidenceCommand() *cobra.Command {
	var f graphFlags
	cmd := &cobra.Command{
		Use:   "evidence RELATION",
		Short: "The sentences that tell a relation, the highest score first",
		Long: `Tells the sentences behind a relation, which is named by the id that keci graph
relations gives it: HEAD:LABEL:TAIL, with :directed behind it if it has a direction.
Offsets count code points of the text of the document.`,
		Example: "  keci graph evidence C0039246:bind:C0085149",
		Args:    exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			key, err := graph.ParseFactKey(args[0])
			if err != nil {
				return usageError("%w", err)
			}
			return f.ask(cmd, func(ctx context.Context, store graph.Store, lines *json.Encoder) error {
				quoted, err := evidenceFor(ctx, store, graph.EvidenceQuery{Filter: f.filter, Key: key, Limit: f.limit})
				return errors.Join(err, encodeAll(lines, quoted))
			})
		},
	}
	f.registerStore(cmd)
	f.registerFilter(cmd, 100)
	return cmd
}

// evidenceFor quotes the sentences behind a relation (see graph.EvidenceOf).
func evidenceFor(ctx context.Context, store graph.Store, query graph.EvidenceQuery) ([]quote.Evidence, error) {
	found, err := graph.EvidenceOf(ctx, store, query)
	switch {
	case errors.Is(err, graph.ErrNotFound):
		return nil, fmt.Errorf("%w (keci graph relations %s %s tells what there is, with ids)", err, query.Key.Head, query.Key.Tail)
	case err != nil:
		return nil, err
	}
	return quote.All(found)
}

func newGraphPathsCommand() *cobra.Command {
	var f graphFlags
	var label string
	var steps int
	cmd := &cobra.Command{
		Use:     "paths FROM TO",
		Short:   "How the documents join two concepts: the shortest ways, the best first",
		Example: "  keci graph paths C0085149 C0006686 --max-steps 3",
		Args:    exactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if steps < 1 || steps > graph.MaxPathSteps {
				return usageError("--max-steps is %d: use 1 to %d", steps, graph.MaxPathSteps)
			}
			if strings.EqualFold(args[0], args[1]) {
				return usageError("both ends are %s: name two concepts", args[0])
			}
			return f.ask(cmd, func(ctx context.Context, store graph.Store, lines *json.Encoder) error {
				ends, err := conceptIDs(args, toldIn(ctx, store))
				if err != nil {
					return err
				}
				paths, err := graph.Paths(ctx, store, graph.PathQuery{Filter: f.filter, From: ends[0], To: ends[1], Label: label, MaxSteps: steps, Limit: f.limit})
				return errors.Join(err, encodeAll(lines, paths))
			})
		},
	}
	f.registerStore(cmd)
	f.registerFilter(cmd, 10)
	cmd.Flags().StringVar(&label, "label", "", "the label of all steps")
	cmd.Flags().IntVar(&steps, "max-steps", 4, fmt.Sprintf("the longest path, 1 to %d", graph.MaxPathSteps))
	return cmd
}
