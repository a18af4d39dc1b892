package umls

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
)

// Kind is what is wrong with a place of a file.
type Kind string

// The kinds of problems. What is said to be passed over is left out of what is
// read; the rest of the file is read as if it were not there.
const (
	CutOff    Kind = "cut off"          // the file ends early or its packing is damaged: what follows is missing
	Empty     Kind = "empty"            // a file without any content
	Malformed Kind = "malformed"        // a wrong number of columns, or no such syntax; passed over
	NotUTF8   Kind = "not UTF-8"        // passed over
	BadValue  Kind = "bad value"        // a field that cannot be so; passed over
	Duplicate Kind = "duplicate"        // said before; passed over
	Dangling  Kind = "unknown end"      // a relation to what is not there; passed over
	RowCount  Kind = "row count"        // not as many rows as MRFILES tells
	Cycle     Kind = "cycle"            // an is_a that closes a circle; passed over
	Ambiguous Kind = "names two"        // a cross-reference to two concepts, of which the first is taken
	NoType    Kind = "no semantic type" // a concept that MRSTY, or of a term the mapping file, gives none
	NotThere  Kind = "not there"        // asked for, and in no row
)

// harmless reports whether a caller who asks for no report need not know: what
// is read is right without it.
func (k Kind) harmless() bool {
	return k == Empty || k == Duplicate || k == Dangling || k == RowCount || k == NoType || k == NotThere
}

// Problem is something wrong at one place of a file. It is an error.
type Problem struct {
	Kind    Kind
	File    string
	Line    int // 1-based; 0 means the whole file
	Column  int // 1-based: of a table the number of the column, of other files the character; 0 means the whole line
	Message string
}

// Error tells the place as FILE:LINE:COLUMN.
func (p *Problem) Error() string {
	place := p.File
	if p.Line > 0 {
		place += fmt.Sprintf(":%d", p.Line)
	}
	if p.Column > 0 {
		place += fmt.Sprintf(":%d", p.Column)
	}
	return place + ": " + p.Message
}

// Reporter is told of each problem, once. When it returns an error, reading stops
// with that error. A nil Reporter returns every problem that is not harmless.
type Reporter func(*Problem) error

// Tell reports a problem.
func (r Reporter) Tell(p *Problem) error {
	switch {
	case r != nil:
		return r(p)
	case p.Kind.harmless():
		return nil
	}
	return p
}

// keptProblems is how many problems of a kind and file are listed.
const keptProblems = 5

// Problems counts problems and keeps the first ones of each kind and file, so
// that a release with a million of them can be read to its end. It is safe for concurrent use.
type Problems struct {
	Strict bool // make every problem an error

	mu     sync.Mutex
	groups map[problemGroup]*problemList
}

type problemGroup struct {
	file string
	kind Kind
}

type problemList struct {
	count int
	first []*Problem
}

// Report is a Reporter. What is cut off is always an error: nobody knows how much
// of it is missing.
func (l *Problems) Report(p *Problem) error {
	if l.Strict || p.Kind == CutOff {
		return p
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	group := problemGroup{p.File, p.Kind}
	list := l.groups[group]
	if list == nil {
		if l.groups == nil {
			l.groups = map[problemGroup]*problemList{}
		}
		list = &problemList{}
		l.groups[group] = list
	}
	list.count++
	if len(list.first) < keptProblems {
		list.first = append(list.first, p)
	}
	return nil
}

// Total is how many problems were reported.
func (l *Problems) Total() (total int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, list := range l.groups {
		total += list.count
	}
	return total
}

// Write lists the problems, by file and kind, a line for each count and for each
// of the first problems.
func (l *Problems) Write(to io.Writer) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	groups := slices.SortedFunc(maps.Keys(l.groups), func(a, b problemGroup) int {
		return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.kind, b.kind))
	})
	for _, group := range groups {
		list := l.groups[group]
		if _, err := fmt.Fprintf(to, "%s: %s: %d\n", group.file, group.kind, list.count); err != nil {
			return err
		}
		for _, p := range list.first {
			if _, err := fmt.Fprintf(to, "  %v\n", p); err != nil {
				return err
			}
		}
		if more := list.count - len(list.first); more > 0 {
			if _, err := fmt.Fprintf(to, "  and %d more\n", more); err != nil {
				return err
			}
		}
	}
	return nil
}
