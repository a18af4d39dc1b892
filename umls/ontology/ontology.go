// Package ontology reads open ontologies – OBO and OBO Graph JSON files – as one
// source of a knowledge base.
//
// A term is a concept. One that a release of UMLS knows, or with a cross-reference
// to a concept of UMLS, has that one's identifier, so that terms of several ontologies, and of a UMLS release,
// that name the same concept are one; any other has its own identifier, in
// capitals ("CL:0000057"). Names are the term's name and its synonyms of the scopes
// asked for. Obsolete terms are no concepts, but what replaces them is kept.
//
// In memory are an index of the terms and their hierarchy, some 300 bytes a term;
// names, definitions and relations are sorted on disk.
package ontology

import (
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/umls"
)

// Options say how ontologies are read. The zero value takes the semantic types of
// the mapping in the program, and exact and related synonyms.
type Options struct {
	Types  Types   // nil means DefaultTypes
	Scopes []Scope // of the synonyms that are names; none means Exact and Related

	Release Release // when set, the ontologies are read beside it

	OnRead func(bytes int) // when set, is told how many bytes were read, against Bytes
	Report umls.Reporter   // is told of problems, each once
}

// Ontologies are some files, read together. Methods may be called in any order,
// by one goroutine at a time; each call reads the files anew.
type Ontologies struct {
	paths   []string
	options Options
	index   *index
	checked bool // the ends of relations were
}

// Open reads the files (.obo or .json, plain or .gz) once, for the index.
func Open(ctx context.Context, paths []string, options Options) (*Ontologies, error) {
	if len(options.Scopes) == 0 {
		options.Scopes = []Scope{Exact, Related}
	}
	if options.Types == nil {
		var err error
		if options.Types, err = DefaultTypes(); err != nil {
			return nil, err
		}
	}
	o := &Ontologies{paths: paths, options: options, index: newIndex()}
	for i, path := range paths {
		to := &indexer{index: o.index, path: path, file: int32(i), report: options.Report}
		if err := o.read(ctx, path, options.Report, nil, to); err != nil {
			return nil, fmt.Errorf("reading an ontology: %w", err)
		}
	}
	if options.Release != nil {
		if err := o.index.adopt(ctx, options.Release); err != nil {
			return nil, fmt.Errorf("looking for the terms of ontologies in the release: %w", err)
		}
	}
	if err := o.index.finish(paths, options.Types, options.Report); err != nil {
		return nil, fmt.Errorf("reading ontologies: %w", err)
	}
	return o, nil
}

// Bytes is what OnRead counts up to when concepts and relations are read once.
func (o *Ontologies) Bytes() (total int64) {
	for _, path := range o.paths {
		if info, err := os.Stat(path); err == nil {
			total += 2 * info.Size()
		}
	}
	return total
}

// read reads a file by the format that its name tells.
func (o *Ontologies) read(ctx context.Context, path string, report umls.Reporter, onRead func(int), to content) error {
	parse := readOBO
	switch name := strings.ToLower(strings.TrimSuffix(path, ".gz")); {
	case strings.HasSuffix(name, ".json"):
		parse = readGraph
	case !strings.HasSuffix(name, ".obo"):
		return fmt.Errorf("%s is neither an .obo file nor OBO Graph .json", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	in := io.Reader(&countingReader{file, onRead})
	if strings.HasSuffix(path, ".gz") {
		if in, err = gzip.NewReader(in); err != nil {
			return report.Tell(&umls.Problem{Kind: umls.CutOff, File: path, Line: 1, Message: fmt.Sprintf("unpacking: %v", err)})
		}
	}
	return parse(ctx, path, in, report, to)
}

// again reads all files once more. Their problems are known.
func (o *Ontologies) again(ctx context.Context, to func(path string, file int32) content) error {
	known := func(*umls.Problem) error { return nil }
	for i, path := range o.paths {
		if err := o.read(ctx, path, known, o.options.OnRead, to(path, int32(i))); err != nil {
			return fmt.Errorf("reading an ontology: %w", err)
		}
	}
	return nil
}

type countingReader struct {
	io.Reader
	count func(bytes int) // may be nil
}

func (r *countingReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if r.count != nil {
		r.count(n)
	}
	return n, err
}

// indexer fills the index from one file.
type indexer struct {
	index  *index
	path   string
	file   int32
	report umls.Reporter
}

func (x *indexer) header(h header) { x.index.headers = append(x.index.headers, h) }

func (x *indexer) property(p property) {
	if known, ok := x.index.properties[p.id]; !ok || known.name == "" {
		x.index.properties[p.id] = p
	}
}

func (x *indexer) problem(kind umls.Kind, at place, format string, args ...any) *umls.Problem {
	return &umls.Problem{Kind: kind, File: x.path, Line: int(at.line), Column: int(at.column), Message: fmt.Sprintf(format, args...)}
}

func (x *indexer) term(t *term) error {
	if t.obsolete {
		x.index.replaced = append(x.index.replaced, [2]string{t.id, t.replacedBy})
		return nil
	}
	at, indexed := x.index.add(t.id)
	if indexed.file == x.file {
		return x.report.Tell(x.problem(umls.Duplicate, place{line: int32(t.line)}, "the term %s was there before, at line %d", t.id, indexed.line))
	}
	indexed.file, indexed.line = x.file, int32(t.line)
	indexed.named = indexed.named || t.name != ""
	x.index.prefixes[prefix(t.id)] = true
	for _, id := range t.altIDs {
		x.index.replaced = append(x.index.replaced, [2]string{id, t.id})
	}
	cui, err := x.conceptOf(t)
	if x.index.terms[at].cui == "" {
		x.index.terms[at].cui = cui
	}
	return err
}

// conceptOf is the concept of UMLS that a term names, or "".
func (x *indexer) conceptOf(t *term) (graph.CUI, error) {
	var named, equivalent []graph.CUI
	var second place // where another concept than the first is named
	for _, ref := range t.xrefs {
		cui, isUMLS := umlsConcept(ref.id)
		switch {
		case !isUMLS:
		case !isCUI(cui):
			if err := x.report.Tell(x.problem(umls.BadValue, ref.at, "the term %s refers to %s, which is no concept of UMLS", t.id, ref.id)); err != nil {
				return "", err
			}
		case slices.Contains(named, cui):
		default:
			if named = append(named, cui); len(named) == 2 {
				second = ref.at
			}
			if ref.equivalent {
				equivalent = append(equivalent, cui)
			}
		}
	}
	if len(equivalent) > 0 {
		named = equivalent
	}
	switch len(named) {
	case 0:
		return "", nil
	case 1:
		return named[0], nil
	}
	return named[0], x.report.Tell(x.problem(umls.Ambiguous, second, "the term %s refers to the concepts %s and %s", t.id, named[0], named[1]))
}

func (x *indexer) relation(r relation) error {
	if r.label == isA {
		x.index.edges = append(x.index.edges, edge{r.head, r.tail, x.file, r.at})
	}
	return nil
}

// sourceName is the name of the ontology that a header tells, in capitals: "CL" of "cl/cl-basic".
func (h header) sourceName() string {
	name := path.Base(h.ontology)
	name = strings.TrimSuffix(name, path.Ext(name))
	if at := strings.IndexAny(name, "-_"); at > 0 {
		name = name[:at]
	}
	return strings.ToUpper(name)
}
