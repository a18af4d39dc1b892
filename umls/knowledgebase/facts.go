package knowledgebase

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/klauspost/compress/zstd"

	"github.com/keci-kg/keci/graph"
)

// Facts are a small knowledge base without any definition, in memory: a Source
// that travels as one file. The file is JSON, one thing a line, packed by zstd.
type Facts struct {
	Name          string
	SourceInfos   []graph.SourceInfo
	Types         []graph.SemanticType
	TypeFacts     []graph.TypeRelation
	ConceptFacts  []graph.Concept
	RelationFacts []graph.Relation
}

// factsFormat is the version of the file; it is raised with every change.
const factsFormat = 1

// factLine is a line of the file. The first holds the header, every other one thing.
type factLine struct {
	Header       *factsHeader        `json:"header,omitempty"`
	Type         *graph.SemanticType `json:"type,omitempty"`
	TypeRelation *graph.TypeRelation `json:"typeRelation,omitempty"`
	Concept      *graph.Concept      `json:"concept,omitempty"`
	Relation     *graph.Relation     `json:"relation,omitempty"`
}

type factsHeader struct {
	Format  int                `json:"format"`
	Name    string             `json:"name"`
	Sources []graph.SourceInfo `json:"sources"`
}

// Write writes the file. The same facts give the same bytes.
func (f *Facts) Write(to io.Writer) error {
	packed, err := zstd.NewWriter(to, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return err
	}
	out := json.NewEncoder(packed)
	out.SetEscapeHTML(false)
	for line := range f.lines() {
		if err := out.Encode(line); err != nil {
			return errors.Join(err, packed.Close())
		}
	}
	return packed.Close()
}

func (f *Facts) lines() iter.Seq[factLine] {
	return func(yield func(factLine) bool) {
		if !yield(factLine{Header: &factsHeader{factsFormat, f.Name, f.SourceInfos}}) {
			return
		}
		for i := range f.Types {
			if !yield(factLine{Type: &f.Types[i]}) {
				return
			}
		}
		for i := range f.TypeFacts {
			if !yield(factLine{TypeRelation: &f.TypeFacts[i]}) {
				return
			}
		}
		for i := range f.ConceptFacts {
			if !yield(factLine{Concept: &f.ConceptFacts[i]}) {
				return
			}
		}
		for i := range f.RelationFacts {
			if !yield(factLine{Relation: &f.RelationFacts[i]}) {
				return
			}
		}
	}
}

// ReadFacts reads what Write wrote.
func ReadFacts(from io.Reader) (*Facts, error) {
	unpacked, err := zstd.NewReader(from)
	if err != nil {
		return nil, fmt.Errorf("reading facts: %w", err)
	}
	defer unpacked.Close()
	in := json.NewDecoder(bufio.NewReaderSize(unpacked, 1<<20))
	var f Facts
	for n := 1; ; n++ {
		var line factLine
		switch err := in.Decode(&line); {
		case errors.Is(err, io.EOF) && n > 1:
			return &f, nil
		case err != nil:
			return nil, fmt.Errorf("reading facts, line %d: %w", n, err)
		}
		if err := f.add(line, n == 1); err != nil {
			return nil, fmt.Errorf("reading facts, line %d: %w", n, err)
		}
	}
}

func (f *Facts) add(line factLine, first bool) error {
	switch {
	case first && (line.Header == nil || line.Header.Format != factsFormat):
		return fmt.Errorf("not a file of facts of version %d", factsFormat)
	case line.Header != nil:
		f.Name, f.SourceInfos = line.Header.Name, line.Header.Sources
	case line.Type != nil:
		f.Types = append(f.Types, *line.Type)
	case line.TypeRelation != nil:
		f.TypeFacts = append(f.TypeFacts, *line.TypeRelation)
	case line.Concept != nil:
		f.ConceptFacts = append(f.ConceptFacts, *line.Concept)
	case line.Relation != nil:
		f.RelationFacts = append(f.RelationFacts, *line.Relation)
	default:
		return errors.New("it holds nothing that is known")
	}
	return nil
}

// Concepts implements Source.
func (f *Facts) Concepts(ctx context.Context) iter.Seq2[graph.Concept, error] {
	return each(ctx, f.ConceptFacts)
}

// Relations implements Source.
func (f *Facts) Relations(ctx context.Context) iter.Seq2[graph.Relation, error] {
	return each(ctx, f.RelationFacts)
}

// SemanticTypes implements Source.
func (f *Facts) SemanticTypes(ctx context.Context) iter.Seq2[graph.SemanticType, error] {
	return each(ctx, f.Types)
}

// TypeRelations implements Source.
func (f *Facts) TypeRelations(ctx context.Context) iter.Seq2[graph.TypeRelation, error] {
	return each(ctx, f.TypeFacts)
}

// Sources implements Source.
func (f *Facts) Sources(context.Context) ([]graph.SourceInfo, error) { return f.SourceInfos, nil }

// each iterates over a list until the context is done.
func each[T any](ctx context.Context, list []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, item := range list {
			if ctx.Err() != nil {
				var none T
				yield(none, context.Cause(ctx))
				return
			}
			if !yield(item, nil) {
				return
			}
		}
	}
}

var _ Source = (*Facts)(nil)

// SelectFacts takes from a source the concepts that keep wants, without their
// definitions, the relations among them, and the Semantic Network.
func SelectFacts(ctx context.Context, name string, source Source, keep func(graph.Concept) bool) (*Facts, error) {
	f := &Facts{Name: name}
	if err := f.selectNetwork(ctx, source); err != nil {
		return nil, err
	}
	kept, used := map[graph.CUI]bool{}, map[string]bool{}
	for c, err := range source.Concepts(ctx) {
		if err != nil {
			return nil, err
		}
		if !keep(c) {
			continue
		}
		c.Definition = ""
		f.ConceptFacts = append(f.ConceptFacts, c)
		kept[c.CUI] = true
		for _, s := range c.Sources {
			used[s] = true
		}
	}
	for r, err := range source.Relations(ctx) {
		if err != nil {
			return nil, err
		}
		if kept[r.Head] && kept[r.Tail] {
			f.RelationFacts = append(f.RelationFacts, r)
		}
	}
	sources, err := source.Sources(ctx)
	f.SourceInfos = keepUsed(sources, used)
	return f, err
}

func (f *Facts) selectNetwork(ctx context.Context, source Source) error {
	for t, err := range source.SemanticTypes(ctx) {
		if err != nil {
			return err
		}
		t.Definition = ""
		f.Types = append(f.Types, t)
	}
	for r, err := range source.TypeRelations(ctx) {
		if err != nil {
			return err
		}
		f.TypeFacts = append(f.TypeFacts, r)
	}
	return nil
}
