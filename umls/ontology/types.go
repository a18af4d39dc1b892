package ontology

import (
	"bufio"
	"bytes"
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/umls"
)

//go:embed types.tsv
var defaultTypes []byte

// DefaultTypesText is the mapping file that is in the program, to be edited.
func DefaultTypesText() string { return string(defaultTypes) }

// Types says which semantic types the terms of ontologies have. Keys are terms
// and prefixes, in capitals.
type Types map[string][]graph.TUI

// DefaultTypes is the mapping that is in the program.
func DefaultTypes() (Types, error) { return ReadTypes("types.tsv", bytes.NewReader(defaultTypes)) }

// ReadTypes reads a mapping file: a line has a term ("DOID:162") or the prefix of
// an ontology ("DOID"), a tab, and semantic types separated by commas; # begins
// a comment. Name is for messages. Errors are of type *umls.Problem.
func ReadTypes(name string, in io.Reader) (Types, error) {
	types := Types{}
	lines := bufio.NewScanner(in)
	for line := 1; lines.Scan(); line++ {
		problem := func(column int, format string, args ...any) error {
			return &umls.Problem{Kind: umls.Malformed, File: name, Line: line, Column: column, Message: fmt.Sprintf(format, args...)}
		}
		text, _, _ := strings.Cut(strings.TrimPrefix(lines.Text(), "\uFEFF"), "#") // without the byte order mark of some editors
		if strings.TrimSpace(text) == "" {
			continue
		}
		key, list, found := strings.Cut(text, "\t")
		if !found {
			return nil, problem(len(text)+1, "a tab and semantic types are missing after %q", strings.TrimSpace(key))
		}
		key = strings.ToUpper(strings.TrimSpace(key))
		if types[key] != nil {
			return nil, problem(1, "%s was given types before", key)
		}
		for tui := range strings.SplitSeq(list, ",") {
			tui = strings.ToUpper(strings.TrimSpace(tui))
			if len(tui) != 4 || tui[0] != 'T' || strings.Trim(tui[1:], "0123456789") != "" {
				return nil, problem(strings.IndexByte(text, '\t')+2, "%q is no semantic type: they are written like T047", tui)
			}
			types[key] = append(types[key], graph.TUI(tui))
		}
		slices.Sort(types[key])
		types[key] = slices.Compact(types[key])
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return types, nil
}
