package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/keci-kg/keci/graph/neo4j"
	"github.com/keci-kg/keci/umls/knowledgebase"
)

type loadOptions struct {
	kb          string
	store       storeFlags
	importFiles string
	replace     bool
	batchRows   int
	quiet       bool
}

func newLoadCommand() *cobra.Command {
	var o loadOptions
	cmd := &cobra.Command{
		Use:   "load",
		Short: "Load a knowledge base into Neo4j",
		Long: `Writes a knowledge base into a Neo4j database, in batches. A load that was broken
off goes on where it was when it is called again; one that is complete is not
repeated.

A database that holds another knowledge base, such as an older release, is left as
it is unless --replace is given. Then only what differs is written, retired concepts
are marked and lead to those that took their place, and what was extracted follows
them there. Documents stay.

With --import-files, files for Neo4j's bulk importer are written instead, and the
call that imports them is printed. It is faster for a whole UMLS, needs the server
stopped, and replaces the database. After it, keci load --store makes the indexes.`,
		Example: `  export KECI_NEO4J_PASSWORD=…
  keci load --kb kb-2026AA --store bolt://localhost:7687
  keci load --kb kb-2026AB --store bolt://localhost:7687 --replace
  keci load --kb kb-2026AA --import-files import-2026AA`,
		Args: exactArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	f := cmd.Flags()
	addKBFlag(cmd, &o.kb)
	f.StringVar(&o.store.address, "store", "", storeHelp)
	o.store.registerPassword(f)
	f.StringVar(&o.importFiles, "import-files", "", "new `DIR` for the files of the bulk importer")
	f.BoolVar(&o.replace, "replace", false, "put the knowledge base in the place of another one that is there")
	f.IntVar(&o.batchRows, "batch-rows", neo4j.DefaultBatchRows, "rows of a transaction; fewer need less memory of the server")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "tell no progress")
	return cmd
}

func (o *loadOptions) run(cmd *cobra.Command) error {
	if (o.store.address == "") == (o.importFiles == "") {
		return usageError("give either --store with a %s or --import-files with a folder", storeHelp)
	}
	if o.importFiles != "" {
		if err := refuse(cmd.Flags(), []string{"replace", "batch-rows", passwordFileFlag}, "--import-files writes files and asks no database"); err != nil {
			return err
		}
	}
	if o.batchRows < 1 {
		return usageError("--batch-rows is %d: a transaction needs 1 or more", o.batchRows)
	}
	ctx := cmd.Context()
	kb, err := openKnowledgeBase(ctx, o.kb)
	if err != nil {
		return err
	}
	defer kb.Close()
	progress := newProgress(cmd.ErrOrStderr(), o.quiet, things)
	if o.importFiles != "" {
		return o.writeFiles(cmd, kb, progress)
	}
	return o.load(ctx, kb, progress)
}

func (o *loadOptions) load(ctx context.Context, kb *knowledgebase.KnowledgeBase, progress *progress) error {
	release, err := kb.Release()
	if err != nil {
		return err
	}
	store, err := o.store.openNeo4j(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	report, err := store.Load(ctx, release, neo4j.LoadOptions{BatchRows: o.batchRows, Replace: o.replace, Progress: progress.tellRows})
	switch {
	case errors.Is(err, neo4j.ErrOtherRelease):
		return fmt.Errorf("%w (--replace puts %s in its place: only what differs is written, and documents stay)", err, kb.Info.Name)
	case errors.Is(err, neo4j.ErrMemory):
		return fmt.Errorf("%w (--batch-rows; what is written stays)", err)
	case err != nil && ctx.Err() == nil:
		return fmt.Errorf("%w (what is written stays: the same call goes on)", err)
	case err != nil:
		return err
	case report.There:
		progress.finish("%s is there already: nothing was written,", kb.Info.Name)
	case report.Replaced:
		progress.finish("%s took the place of another release: %d concepts and %d relations written, %d and %d removed, %d retired,", kb.Info.Name,
			report.Written.Concepts, report.Written.Relations, report.Removed.Concepts, report.Removed.Relations, report.Retired)
	default:
		progress.finish("loaded %s: %d concepts, %d relations,", kb.Info.Name, kb.Info.Concepts, kb.Info.Relations)
	}
	return nil
}

func (o *loadOptions) writeFiles(cmd *cobra.Command, kb *knowledgebase.KnowledgeBase, progress *progress) error {
	const database = "neo4j"
	release, err := kb.Release()
	if err != nil {
		return err
	}
	arguments, err := neo4j.WriteImportFiles(cmd.Context(), release, o.importFiles, database, progress.tellRows)
	if err != nil {
		return err
	}
	progress.finish("wrote %s", o.importFiles)
	_, err = fmt.Fprintln(cmd.OutOrStdout(), "neo4j-admin "+shellLine(arguments))
	return err
}
