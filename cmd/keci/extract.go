package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/neo4j"
	"github.com/keci-kg/keci/umls/knowledgebase"
)

type extractOptions struct {
	documents     documentFlags
	selection     selectionFlags
	model, engine string
	store         storeFlags
	replace       bool
	data          string
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
  keci extract --store=bolt://localhost:7687 abstracts.jsonl >graphs.jsonl
  keci extract --out svg sentence.txt >graph.svg
  keci extract --in pubtator --out bioc --output graphs.json CDR_DevelopmentSet.PubTator.txt
  keci extract --out brat --output to-curate abstracts/`,
		RunE: func(cmd *cobra.Command, files []string) error { return o.run(cmd, files) },
	}
	o.documents.register(cmd)
	f := cmd.Flags()
	f.StringVar(&o.model, "model", "", "model `DIR` (default: the one in the program)")
	o.selection.register(f)
	engineFlag(f, &o.engine)
	f.StringVar(&o.store.address, "store", "", "save the documents as well: in --data or, when an address follows, in a "+storeHelp)
	f.Lookup("store").NoOptDefVal = storeInData
	o.store.registerPassword(f)
	f.BoolVar(&o.replace, "replace", false, "with --store: replace documents that are known with another text, or extracted before")
	f.StringVar(&o.data, "data", "", dataHelp)
	return cmd
}

func (o *extractOptions) run(cmd *cobra.Command, files []string) (err error) {
	if err := o.documents.check(); err != nil {
		return err
	}
	files, err = o.takeAddress(files)
	if err != nil {
		return err
	}
	if err := o.documents.checkFiles(files); err != nil {
		return err
	}
	if o.store.address == "" && (given(cmd.Flags(), "replace") || given(cmd.Flags(), "data")) {
		return usageError("--replace and --data are of use only with --store")
	}
	if err := o.store.checkUse(cmd.Flags()); err != nil {
		return err
	}
	if o.store.inNeo4j() {
		if err := o.selection.checkStore(); err != nil {
			return err
		}
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
	if o.store.address == "" {
		return o.documents.run(cmd, files, extractor.Extract)
	}
	store, err := o.openStore(cmd.Context(), kb)
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

// storeInData is what --store means without an address.
const storeInData = "data"

// takeAddress takes the address that goes with --store from among the files,
// wherever it stands: a flag that may stand alone gets a value only with an equals sign.
func (o *extractOptions) takeAddress(args []string) (files []string, err error) {
	for _, arg := range args {
		switch {
		case !neo4j.IsAddress(arg):
			files = append(files, arg)
		case o.store.address == "":
			return nil, usageError("%s is the address of a database: to save the documents there, put --store before it", arg)
		case o.store.address != storeInData:
			return nil, usageError("%s is one address too many: documents go to one database", arg)
		default:
			o.store.address = arg
		}
	}
	return files, nil
}

func (o *extractOptions) openStore(ctx context.Context, kb *knowledgebase.KnowledgeBase) (graph.Store, error) {
	if o.store.inNeo4j() {
		return o.store.open(ctx, "", &o.selection, kb)
	}
	data, err := dataDir(o.data)
	if err != nil {
		return nil, err
	}
	return openStore(ctx, data, kb.Knowledge)
}

// save stores a document, unless it is there already.
func (o *extractOptions) save(ctx context.Context, store graph.Documents, doc graph.Document) error {
	_, err := store.SaveDocument(ctx, doc, o.replace)
	if errors.Is(err, graph.ErrConflict) {
		return fmt.Errorf("%w (--replace replaces it)", err)
	}
	return err
}
