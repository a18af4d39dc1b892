package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/keci-kg/keci/graph"
)

type extractOptions struct {
	documents      documentFlags
	selection      selectionFlags
	model, engine  string
	store, replace bool
	data           string
}

func newExtractCommand() *cobra.Command {
	var o extractOptions
	cmd := &cobra.Command{
		Use:   "extract [FILE…]",
		Short: "Extract the graphs of documents: entities, concepts and relations",
		Long: `Reads documents with a model and writes them with the entities and relations that
it infers, and the evidence for each: the concepts with the attention paid to
them, and what the text alone had said.

` + documentInputHelp,
		Example: `  echo 'FKBP12 binds rapamycin.' | keci extract
  keci extract --store abstracts.jsonl >graphs.jsonl
  keci extract --out svg sentence.txt >graph.svg`,
		RunE: func(cmd *cobra.Command, files []string) error { return o.run(cmd, files) },
	}
	o.documents.register(cmd)
	f := cmd.Flags()
	f.StringVar(&o.model, "model", "", "model `DIR` (default: the one in the program)")
	o.selection.register(f)
	f.StringVar(&o.engine, "engine", defaultEngine, "what computes")
	f.BoolVar(&o.store, "store", false, "save the documents in --data as well")
	f.BoolVar(&o.replace, "replace", false, "with --store: replace documents that are known with another text, or extracted before")
	f.StringVar(&o.data, "data", "", dataHelp)
	return cmd
}

func (o *extractOptions) run(cmd *cobra.Command, files []string) (err error) {
	if err := o.documents.check(); err != nil {
		return err
	}
	if !o.store && (o.replace || o.data != "") {
		return usageError("--replace and --data are of use only with --store")
	}
	kb, err := o.selection.Open(cmd.Context())
	if err != nil {
		return err
	}
	defer kb.Close()
	extractor, err := openExtractor(o.model, kb, o.engine)
	if err != nil {
		return err
	}
	defer extractor.Close()
	if !o.store {
		return o.documents.run(cmd, files, extractor.Extract)
	}
	data, err := dataDir(o.data)
	if err != nil {
		return err
	}
	store, err := openStore(data, kb.Knowledge)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	return o.documents.run(cmd, files, func(ctx context.Context, doc graph.Document) (graph.Document, error) {
		doc, err := extractor.Extract(ctx, doc)
		if err != nil {
			return doc, err
		}
		return doc, o.save(ctx, store, doc)
	})
}

// save stores a document, unless it is there already.
func (o *extractOptions) save(ctx context.Context, store graph.Documents, doc graph.Document) error {
	_, err := store.SaveDocument(ctx, doc, o.replace)
	if errors.Is(err, graph.ErrConflict) {
		return fmt.Errorf("%w (--replace replaces it)", err)
	}
	return err
}
