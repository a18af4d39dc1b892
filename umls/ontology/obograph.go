package ontology

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/keci-kg/keci/umls"
)

// graphReader reads OBO Graph JSON (https://github.com/geneontology/obographs),
// one node and edge at a time.
type graphReader struct {
	path   string
	report umls.Reporter
	to     content
	lines  *lineCounter
	in     *json.Decoder
	read   int
}

type graphNode struct {
	ID   string    `json:"id"`
	Name string    `json:"lbl"`
	Type string    `json:"type"`
	Meta graphMeta `json:"meta"`
}

type graphMeta struct {
	Definition struct {
		Text string `json:"val"`
	} `json:"definition"`
	Synonyms []struct {
		Kind string `json:"pred"`
		Text string `json:"val"`
	} `json:"synonyms"`
	Xrefs []struct {
		ID string `json:"val"`
	} `json:"xrefs"`
	Properties []struct {
		Name  string `json:"pred"`
		Value string `json:"val"`
	} `json:"basicPropertyValues"`
	Version    string `json:"version"`
	Deprecated bool   `json:"deprecated"`
}

type graphEdge struct {
	Subject   string `json:"sub"`
	Predicate string `json:"pred"`
	Object    string `json:"obj"`
}

func readGraph(ctx context.Context, path string, in io.Reader, report umls.Reporter, to content) error {
	lines := &lineCounter{in: withoutMark(in)}
	r := &graphReader{path: path, report: report, to: to, lines: lines, in: json.NewDecoder(lines)}
	err := r.document(ctx)
	var problem *umls.Problem
	switch {
	case err == nil || errors.As(err, &problem) || ctx.Err() != nil:
		return err
	case errors.Is(err, io.EOF) && lines.read == 0:
		return report.Tell(&umls.Problem{Kind: umls.Empty, File: path, Message: "the file is empty"})
	}
	return report.Tell(r.describe(err))
}

// withoutMark takes away the byte order mark of some editors.
func withoutMark(in io.Reader) io.Reader {
	const mark = "\uFEFF"
	buffered := bufio.NewReader(in)
	if head, _ := buffered.Peek(len(mark)); string(head) == mark { // an error will come again
		_, _ = buffered.Discard(len(mark)) // it was peeked at: there is no error
	}
	return buffered
}

// describe makes a problem of what the decoder says. It is one that no build
// survives: what follows in the file cannot be read, however much it is.
func (r *graphReader) describe(err error) *umls.Problem {
	offset := r.in.InputOffset()
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) && err.Error() != "unexpected end of JSON input" {
		offset = syntax.Offset
	}
	line, column := r.lines.position(offset)
	return &umls.Problem{Kind: umls.CutOff, File: r.path, Line: line, Column: column, Message: fmt.Sprintf("%v (what follows cannot be read)", err)}
}

var errNoGraph = errors.New("this is not OBO Graph JSON: an object with a list of graphs")

// document reads the whole file: an object whose graphs hold nodes and edges.
func (r *graphReader) document(ctx context.Context) error {
	return r.object(func(key string) error {
		if key != "graphs" {
			return r.skip()
		}
		return r.array(func() error { return r.graph(ctx) })
	})
}

func (r *graphReader) graph(ctx context.Context) error {
	var head header
	err := r.object(func(key string) error {
		switch key {
		case "id":
			_, _, err := r.element(ctx, &head.ontology)
			return err
		case "meta":
			return r.meta(ctx, &head)
		case "nodes":
			return r.array(func() error { return r.node(ctx) })
		case "edges":
			return r.array(func() error { return r.edge(ctx) })
		}
		return r.skip()
	})
	r.to.header(head)
	return err
}

// meta reads what is said of the graph. A value of a wrong type is told of, and the
// others are taken.
func (r *graphReader) meta(ctx context.Context, head *header) error {
	var meta graphMeta
	if _, _, err := r.element(ctx, &meta); err != nil {
		return err
	}
	head.version = meta.Version
	for _, p := range meta.Properties {
		switch p.Name {
		case "http://purl.org/dc/elements/1.1/title", "http://purl.org/dc/terms/title":
			head.title = p.Value
		case "http://purl.org/dc/terms/license":
			head.licence = p.Value
		}
	}
	return nil
}

// object reads an object; each is called at the value of every key.
func (r *graphReader) object(each func(key string) error) error {
	if err := r.delimiter('{'); err != nil {
		return err
	}
	for r.in.More() {
		token, err := r.in.Token()
		if err != nil {
			return err
		}
		key, _ := token.(string)
		if err := each(key); err != nil {
			return err
		}
	}
	return r.delimiter('}')
}

// array reads an array; each is called at every element.
func (r *graphReader) array(each func() error) error {
	if err := r.delimiter('['); err != nil {
		return err
	}
	for r.in.More() {
		if err := each(); err != nil {
			return err
		}
	}
	return r.delimiter(']')
}

func (r *graphReader) delimiter(want json.Delim) error {
	token, err := r.in.Token()
	if err != nil {
		return err
	}
	if token != want {
		return errNoGraph
	}
	return nil
}

func (r *graphReader) skip() error {
	var value json.RawMessage
	return r.in.Decode(&value)
}

// element reads a value, such as an element of a list, into to and gives the line
// on which it begins. One with a problem is told of, and ok is false.
func (r *graphReader) element(ctx context.Context, to any) (line int, ok bool, err error) {
	if r.read++; r.read%checkEvery == 0 && ctx.Err() != nil {
		return 0, false, context.Cause(ctx)
	}
	line, column := r.lines.position(r.in.InputOffset())
	var raw json.RawMessage
	if err := r.in.Decode(&raw); err != nil {
		return line, false, err
	}
	if !utf8.Valid(raw) {
		return line, false, r.report.Tell(&umls.Problem{Kind: umls.NotUTF8, File: r.path, Line: line, Column: column, Message: "what begins here is not valid UTF-8"})
	}
	if err := json.Unmarshal(raw, to); err != nil {
		return line, false, r.report.Tell(&umls.Problem{Kind: umls.Malformed, File: r.path, Line: line, Column: column, Message: err.Error()})
	}
	return line, true, nil
}

func (r *graphReader) node(ctx context.Context) error {
	var n graphNode
	line, ok, err := r.element(ctx, &n)
	if !ok {
		return err
	}
	switch n.Type {
	case "PROPERTY":
		r.to.property(property{id: compact(n.ID), name: n.Name})
		return nil
	case "INDIVIDUAL":
		return nil
	}
	if n.ID == "" {
		return r.report.Tell(&umls.Problem{Kind: umls.BadValue, File: r.path, Line: line, Message: "the node has no id"})
	}
	return r.to.term(n.term(line))
}

func (n *graphNode) term(line int) *term {
	t := &term{
		id: compact(n.ID), name: strings.TrimSpace(n.Name), definition: n.Meta.Definition.Text,
		obsolete: n.Meta.Deprecated, line: line,
	}
	for _, s := range n.Meta.Synonyms {
		kind := strings.TrimSuffix(strings.TrimPrefix(s.Kind, "has"), "Synonym")
		t.synonyms = append(t.synonyms, synonym{strings.TrimSpace(s.Text), Scope(strings.ToUpper(kind))})
	}
	for _, x := range n.Meta.Xrefs {
		t.xrefs = append(t.xrefs, xref{id: x.ID, at: place{line: int32(line)}})
	}
	for _, p := range n.Meta.Properties {
		switch p.Name {
		case "http://www.geneontology.org/formats/oboInOwl#hasAlternativeId":
			t.altIDs = append(t.altIDs, compact(p.Value))
		case "http://purl.obolibrary.org/obo/IAO_0100001": // term replaced by
			t.replacedBy = compact(p.Value)
		}
	}
	return t
}

func (r *graphReader) edge(ctx context.Context) error {
	var e graphEdge
	line, ok, err := r.element(ctx, &e)
	if !ok {
		return err
	}
	label := compact(e.Predicate)
	if e.Predicate == "is_a" {
		label = isA
	}
	return r.to.relation(relation{compact(e.Subject), label, compact(e.Object), place{line: int32(line)}})
}

// compact makes a short identifier of an address: "CHEBI:15365" of
// "http://purl.obolibrary.org/obo/CHEBI_15365", and "is_tautomer_of" of
// "http://purl.obolibrary.org/obo/chebi#is_tautomer_of".
func compact(id string) string {
	if !strings.Contains(id, "://") {
		return id
	}
	last := id[strings.LastIndexAny(id, "/#")+1:]
	if strings.Contains(id, "#") {
		return last
	}
	if at := strings.LastIndexByte(last, '_'); at > 0 {
		return last[:at] + ":" + last[at+1:]
	}
	return last
}

// lineCounter remembers where lines begin, as far as they may be asked for:
// positions are asked in ascending order.
type lineCounter struct {
	in     io.Reader
	read   int64
	breaks []int64 // offsets of the line breaks after passed
	passed int     // number of line breaks before them
	last   int64   // offset of the last passed one, plus one
}

func (c *lineCounter) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	for i, b := range p[:n] {
		if b == '\n' {
			c.breaks = append(c.breaks, c.read+int64(i))
		}
	}
	c.read += int64(n)
	return n, err
}

// position is the line and column of an offset, both from 1.
func (c *lineCounter) position(offset int64) (line, column int) {
	n := sort.Search(len(c.breaks), func(i int) bool { return c.breaks[i] >= offset })
	if n > 0 {
		c.last = c.breaks[n-1] + 1
		c.passed += n
		c.breaks = c.breaks[n:]
	}
	return c.passed + 1, int(max(0, offset-c.last)) + 1
}
