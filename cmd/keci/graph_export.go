package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/keci-kg/keci/graph"
)

// exportPage is how many documents are listed at a time.
const exportPage = 100

func newGraphExportCommand() *cobra.Command {
	var f graphFlags
	var o outputFlags
	cmd := &cobra.Command{
		Use:   "export [ID…]",
		Short: "Write stored documents in any form: all, or those with the ids",
		Example: `  keci graph export --out graphml --output extracted.graphml
  keci graph export --out brat --output to-curate PMID:12345`,
		RunE: func(cmd *cobra.Command, ids []string) error {
			if err := o.check(); err != nil {
				return err
			}
			return f.withStore(cmd, func(ctx context.Context, store graph.Store) error {
				out, err := o.open(cmd)
				if err != nil {
					return err
				}
				write := func(id string) error {
					doc, err := store.Document(ctx, id)
					if err != nil {
						return err // which names the document
					}
					if doc, err = doc.WithOffsets(graph.OffsetUnit(o.offsets)); err != nil {
						return fmt.Errorf("document %q: %w", id, err)
					}
					return out.Write(doc)
				}
				return out.close(eachDocument(ctx, store, ids, write))
			})
		},
	}
	f.registerStore(cmd)
	o.register(cmd)
	return cmd
}

// eachDocument calls visit with the ids, or with those of all documents if there
// are none.
func eachDocument(ctx context.Context, store graph.Documents, ids []string, visit func(id string) error) error {
	for _, id := range ids {
		if err := visit(id); err != nil {
			return err
		}
	}
	if len(ids) > 0 {
		return nil
	}
	after := ""
	for {
		page, err := store.Documents(ctx, after, exportPage)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, doc := range page {
			if err := visit(doc.ID); err != nil {
				return err
			}
		}
		after = page[len(page)-1].ID
	}
}
