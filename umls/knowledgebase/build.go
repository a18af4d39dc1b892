package knowledgebase

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/embedded"
	"github.com/keci-kg/keci/linker"
)

// Source is what a knowledge base is built from: a umls.Release, ontologies, the
// facts of the default knowledge base, or several of them merged. Each method
// gives every thing once, and stops after the first error. Concepts come in
// ascending order of CUI, relations of tail, head and label.
type Source interface {
	Concepts(context.Context) iter.Seq2[graph.Concept, error]
	Relations(context.Context) iter.Seq2[graph.Relation, error]
	SemanticTypes(context.Context) iter.Seq2[graph.SemanticType, error]
	TypeRelations(context.Context) iter.Seq2[graph.TypeRelation, error]
	Sources(context.Context) ([]graph.SourceInfo, error)
}

// History is what a Source may know beside: the concepts of earlier releases
// that it does not have, in any order. Of what is told of one concept the first counts.
type History interface {
	Retired(context.Context) iter.Seq2[graph.Retired, error]
}

// retired is the history of a source, empty when it has none.
func retired(ctx context.Context, source Source) iter.Seq2[graph.Retired, error] {
	if history, ok := source.(History); ok {
		return history.Retired(ctx)
	}
	return func(func(graph.Retired, error) bool) {}
}

// Options of Build.
type Options struct {
	Name  string            // of the knowledge base
	Force bool              // replace a knowledge base that is there
	Step  func(name string) // when set, is told what is being done
}

// ErrExists is returned, wrapped, by Build when the folder is there and Force is not set.
var ErrExists = errors.New("it exists already")

// ErrHere is returned, wrapped, by Build when the folder is that which the program
// runs in: a finished one cannot take its place.
var ErrHere = errors.New("it is the folder that this program runs in: call it from another one")

// ErrNoConcepts is returned, wrapped, by Build when the source gives no concept.
var ErrNoConcepts = errors.New("no concept is left: look at the languages, sources and types that are asked for")

// Build makes the knowledge base folder out. It works in a folder beside out
// that gets its name when all is written, so that out is whole or not there,
// also when the context is cancelled. Relations to concepts that the source
// does not give are left out.
func Build(ctx context.Context, out string, source Source, options Options) (info graph.KnowledgeBaseInfo, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("building the knowledge base %s: %w", out, err)
		}
	}()
	if options.Step == nil {
		options.Step = func(string) {}
	}
	out = filepath.Clean(out) // a slash at its end would make it its own parent
	if folder, err := filepath.EvalSymlinks(out); err == nil {
		out = folder // a link stays, and what it leads to is replaced
	}
	if err := mayReplace(out, options.Force); err != nil {
		return info, err
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return info, err
	}
	temp, err := os.MkdirTemp(filepath.Dir(out), "."+filepath.Base(out)+".building-*")
	if err != nil {
		return info, err
	}
	defer os.RemoveAll(temp)
	if info, err = writeFolder(ctx, temp, source, options); err != nil {
		return info, err
	}
	return info, rename(temp, out, options.Force)
}

// mayReplace refuses a folder that is there, unless it is empty or a knowledge
// base that may be replaced: no other folder is ever removed.
func mayReplace(out string, force bool) error {
	if isHere(out) {
		return ErrHere
	}
	entries, err := os.ReadDir(out)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return err
	case len(entries) == 0:
		return nil
	case !force:
		return fmt.Errorf("%w: remove it, choose another folder or set --force", ErrExists)
	}
	if _, err := os.Stat(filepath.Join(out, manifestFile)); err != nil {
		return fmt.Errorf("%w and is not a knowledge base, so it is not replaced", ErrExists)
	}
	return nil
}

// isHere reports whether a folder is that which the program runs in.
func isHere(dir string) bool {
	info, err := os.Stat(dir)
	here, hereErr := os.Stat(".")
	return err == nil && hereErr == nil && os.SameFile(info, here)
}

// rename gives the finished folder its name, after putting what is there out of
// the way if it may be replaced.
func rename(temp, out string, force bool) error {
	if err := os.Chmod(temp, 0o755); err != nil {
		return err
	}
	os.Remove(out) // succeeds for an empty folder only, which may be replaced
	err := os.Rename(temp, out)
	if !errors.Is(err, os.ErrExist) {
		return err
	}
	if !force {
		return fmt.Errorf("%w, made in the meantime", ErrExists)
	}
	old := temp + ".old"
	if err := os.Rename(out, old); err != nil {
		return err
	}
	if err := os.Rename(temp, out); err != nil {
		return errors.Join(err, os.Rename(old, out))
	}
	os.RemoveAll(old) // the new one is there, whatever is left of the old
	return nil
}

// writeFolder writes all files of a knowledge base.
func writeFolder(ctx context.Context, dir string, source Source, options Options) (info graph.KnowledgeBaseInfo, err error) {
	store, err := embedded.NewKnowledgeBuilder(filepath.Join(dir, storeFolder))
	if err != nil {
		return info, err
	}
	defer store.Close()
	used, err := copyAll(ctx, dir, source, store, options.Step)
	if err != nil {
		return info, err
	}
	sources, err := source.Sources(ctx)
	if err != nil {
		return info, err
	}
	options.Step("writing the store")
	if info, err = store.Finish(ctx, options.Name, keepUsed(sources, used)); err != nil {
		return info, err
	}
	options.Step("checking")
	return info, writeManifest(ctx, dir, info)
}

// copyAll moves everything from the source into store and dictionary, and
// returns the abbreviations of the sources that concepts come from.
func copyAll(ctx context.Context, dir string, source Source, store *embedded.KnowledgeBuilder, step func(string)) (used map[string]bool, err error) {
	step("reading the semantic types")
	if err := copyNetwork(ctx, source, store); err != nil {
		return nil, err
	}
	names, err := linker.NewBuilder(dir)
	if err != nil {
		return nil, err
	}
	defer names.Close()
	step("reading the concepts")
	if used, err = copyConcepts(ctx, source, store, names); err != nil {
		return nil, err
	}
	step("reading the relations")
	// The dictionary is written meanwhile; when one of them fails, the other need not go on.
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() error { return names.Finish(ctx) })
	both.Go(func() error {
		if err := copyRelations(ctx, source, store); err != nil {
			return err
		}
		return copyRetired(ctx, source, store)
	})
	return used, both.Wait()
}

func copyNetwork(ctx context.Context, source Source, store *embedded.KnowledgeBuilder) error {
	for t, err := range source.SemanticTypes(ctx) {
		if err != nil {
			return err
		}
		store.AddSemanticType(t)
	}
	for r, err := range source.TypeRelations(ctx) {
		if err != nil {
			return err
		}
		store.AddTypeRelation(r)
	}
	return nil
}

func copyConcepts(ctx context.Context, source Source, store *embedded.KnowledgeBuilder, names *linker.Builder) (used map[string]bool, err error) {
	used = map[string]bool{}
	any := false
	for c, err := range source.Concepts(ctx) {
		if err != nil {
			return nil, err
		}
		any = true
		for _, s := range c.Sources {
			used[s] = true
		}
		if err := store.AddConcept(c); err != nil {
			return nil, err
		}
		if err := names.Add(c); err != nil {
			return nil, err
		}
	}
	if !any {
		return nil, ErrNoConcepts
	}
	return used, nil
}

func copyRelations(ctx context.Context, source Source, store *embedded.KnowledgeBuilder) error {
	for r, err := range source.Relations(ctx) {
		if err != nil {
			return err
		}
		if err := store.AddRelation(r); err != nil {
			return err
		}
	}
	return nil
}

func copyRetired(ctx context.Context, source Source, store *embedded.KnowledgeBuilder) error {
	for r, err := range retired(ctx, source) {
		if err != nil {
			return err
		}
		if err := store.AddRetired(r); err != nil {
			return err
		}
	}
	return nil
}

func keepUsed(sources []graph.SourceInfo, used map[string]bool) []graph.SourceInfo {
	var kept []graph.SourceInfo
	for _, s := range sources {
		if used[s.Abbreviation] {
			kept = append(kept, s)
		}
	}
	return kept
}

func writeManifest(ctx context.Context, dir string, info graph.KnowledgeBaseInfo) error {
	files, err := checkStore(ctx, dir)
	if err != nil {
		return err
	}
	content, err := json.MarshalIndent(manifest{info, files}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, manifestFile), append(content, '\n'), 0o644)
}
