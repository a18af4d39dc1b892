package knowledgebase

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/linker"
)

// TermColumns are the columns of a file of terms. Only the first two are needed.
const TermColumns = "name, CUI, semantic types (with commas between), preferred name, definition"

// ReadTerms reads a user's own terms: a name a line with the TermColumns,
// parted by tabs. Several lines of one CUI give the names of one concept, whose
// preferred name is the first one unless the column says another. Empty lines,
// lines that begin with # and a heading before all terms, which begins with "name"
// and "cui", are passed over. Errors name the line. The concepts come in order of CUI.
func ReadTerms(from io.Reader) ([]graph.Concept, error) {
	known := map[graph.CUI]*term{}
	var order []*term
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 1<<20)
	first := true // of the lines that say something
	for number := 1; lines.Scan(); number++ {
		line := strings.TrimPrefix(lines.Text(), "\ufeff")
		columns := strings.Split(line, "\t")
		for i := range columns {
			columns[i] = strings.TrimSpace(columns[i])
		}
		if strings.TrimSpace(line) == "" || line[0] == '#' {
			continue
		}
		heading := first && isHeading(columns)
		if first = false; heading {
			continue
		}
		t, err := newTerm(columns)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		if known[t.CUI] == nil {
			known[t.CUI] = t
			order = append(order, t)
		} else if err := known[t.CUI].add(t); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	var concepts []graph.Concept
	for _, t := range order {
		concepts = append(concepts, t.concept())
	}
	if len(concepts) == 0 {
		return nil, fmt.Errorf("there is no term; the columns are %s", TermColumns)
	}
	return uniteConcepts(concepts), nil
}

func isHeading(columns []string) bool {
	return len(columns) > 1 && strings.EqualFold(columns[0], "name") && strings.EqualFold(columns[1], "cui")
}

// term is a concept that is being read; Name is empty until a line says it.
type term struct {
	graph.Concept
	names []string
}

func newTerm(columns []string) (*term, error) {
	if len(columns) < 2 || columns[0] == "" || columns[1] == "" {
		return nil, fmt.Errorf("a name and a CUI are needed, with a tab between; the columns are %s", TermColumns)
	}
	if strings.ContainsFunc(columns[1], unicode.IsSpace) {
		return nil, fmt.Errorf("the CUI %q holds white space", columns[1])
	}
	columns = append(columns, "", "", "")
	t := &term{names: columns[:1:1]}
	t.CUI, t.Name, t.Definition = graph.CUI(columns[1]), columns[3], columns[4]
	for tui := range strings.SplitSeq(columns[2], ",") {
		if tui = strings.TrimSpace(tui); tui != "" {
			t.SemanticTypes = append(t.SemanticTypes, graph.TUI(tui))
		}
	}
	return t, nil
}

// add adds another line of the same concept.
func (t *term) add(other *term) error {
	if t.Name != "" && other.Name != "" && t.Name != other.Name {
		return fmt.Errorf("the preferred name of %s is %q here and %q before", t.CUI, other.Name, t.Name)
	}
	t.Name = cmp.Or(t.Name, other.Name)
	t.Definition = cmp.Or(t.Definition, other.Definition)
	t.SemanticTypes = append(t.SemanticTypes, other.SemanticTypes...)
	t.names = append(t.names, other.names...)
	return nil
}

func (t *term) concept() graph.Concept {
	c := t.Concept
	c.Name = cmp.Or(c.Name, t.names[0])
	c.SemanticTypes = sortedOnce(c.SemanticTypes, cmp.Compare)
	for _, name := range t.names {
		if name != c.Name && !slices.Contains(c.Synonyms, name) {
			c.Synonyms = append(c.Synonyms, name)
		}
	}
	return c
}

// openTerms makes a small knowledge base, in memory, of a file of terms.
func openTerms(ctx context.Context, path string, options ...linker.Option) (*KnowledgeBase, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the terms: %w", err)
	}
	concepts, err := ReadTerms(bytes.NewReader(content))
	if err != nil {
		return nil, fmt.Errorf("reading the terms: %s: %w", path, err)
	}
	names, remove, err := openNames(ctx, concepts, options...)
	if err != nil {
		return nil, fmt.Errorf("reading the terms: %s: %w", path, err)
	}
	knowledge := newMemory(concepts)
	knowledge.info.Name = filepath.Base(path)
	knowledge.info.Digest = fmt.Sprintf("sha256:%x", sha256.Sum256(content))
	return &KnowledgeBase{knowledge.info, knowledge, names, func() error { return errors.Join(names.Close(), remove()) }}, nil
}

// openNames makes the dictionary of a few concepts. Its folder is a temporary
// one: where the system lets an open file be removed, it is gone at once.
func openNames(ctx context.Context, concepts []graph.Concept, options ...linker.Option) (names *linker.Linker, remove func() error, err error) {
	dir, err := os.MkdirTemp("", "keci-terms-*")
	if err != nil {
		return nil, nil, err
	}
	remove = func() error { return os.RemoveAll(dir) }
	defer func() { _ = remove() }()
	builder, err := linker.NewBuilder(dir)
	if err != nil {
		return nil, nil, err
	}
	for _, c := range concepts {
		if err := builder.Add(c); err != nil {
			return nil, nil, err
		}
	}
	if err := builder.Finish(ctx); err != nil {
		return nil, nil, err
	}
	names, err = linker.Open(dir, options...)
	return names, remove, err
}
