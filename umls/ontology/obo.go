package ontology

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/keci-kg/keci/umls"
)

// oboReader reads the OBO flat file format 1.4 and earlier ones
// (https://owlcollab.github.io/oboformat/doc/obo-syntax.html).
type oboReader struct {
	path     string
	report   umls.Reporter
	to       content
	line     int
	stanza   string // "" in the header
	head     header
	term     *term
	property *property
	relation []relation
}

// longestLine is the longest line that is read, in bytes.
const longestLine = 16 << 20

// checkEvery is how many lines or terms are read between two looks at the context.
const checkEvery = 4096

func readOBO(ctx context.Context, path string, in io.Reader, report umls.Reporter, to content) error {
	r := &oboReader{path: path, report: report, to: to}
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 64<<10), longestLine)
	for lines.Scan() {
		r.line++
		if r.line%checkEvery == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := r.read(lines.Bytes()); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		r.line++
		if errors.Is(err, bufio.ErrTooLong) {
			return r.problem(umls.Malformed, 0, "the line is longer than %d MB", longestLine>>20)
		}
		if err := report.Tell(r.problem(umls.CutOff, 0, "%v: the file is not whole, get it again", err)); err != nil {
			return err
		}
	}
	if r.line == 0 {
		return report.Tell(&umls.Problem{Kind: umls.Empty, File: path, Message: "the file is empty"})
	}
	return r.endStanza()
}

func (r *oboReader) problem(kind umls.Kind, column int, format string, args ...any) *umls.Problem {
	return &umls.Problem{Kind: kind, File: r.path, Line: r.line, Column: column, Message: fmt.Sprintf(format, args...)}
}

func (r *oboReader) read(line []byte) error {
	if at := invalidUTF8(line); at >= 0 {
		return r.report.Tell(r.problem(umls.NotUTF8, at+1, "the line is not valid UTF-8"))
	}
	text := strings.TrimSpace(string(bytes.TrimPrefix(line, []byte("\ufeff"))))
	switch {
	case text == "" || text[0] == '!':
		return nil
	case text[0] == '[':
		return r.beginStanza(text)
	}
	tag, value, found := strings.Cut(text, ":")
	if !found {
		return r.report.Tell(r.problem(umls.Malformed, 1, "the line is no tag and value with a colon between them"))
	}
	value = strings.TrimSpace(value)
	column := strings.Index(string(line), value) + 1
	if problem := r.tag(tag, value, column); problem != nil {
		return r.report.Tell(problem)
	}
	return nil
}

// invalidUTF8 is the place of the first byte that is not UTF-8, counted in characters, or -1.
func invalidUTF8(line []byte) int {
	if utf8.Valid(line) {
		return -1
	}
	for at := 0; ; at++ {
		r, size := utf8.DecodeRune(line)
		if r == utf8.RuneError && size <= 1 {
			return at
		}
		line = line[size:]
	}
}

func (r *oboReader) beginStanza(text string) error {
	if err := r.endStanza(); err != nil {
		return err
	}
	if !strings.HasSuffix(text, "]") {
		return r.report.Tell(r.problem(umls.Malformed, 1, "%q does not begin a stanza: the ] is missing", text))
	}
	r.stanza = text[1 : len(text)-1]
	switch r.stanza {
	case "Term":
		r.term = &term{line: r.line}
	case "Typedef":
		r.property = &property{}
	}
	return nil
}

// endStanza hands on what the stanza holds.
func (r *oboReader) endStanza() error {
	if r.stanza == "" {
		r.to.header(r.head)
	}
	if r.property != nil {
		r.to.property(*r.property)
	}
	if t := r.term; t != nil {
		if t.id == "" {
			if err := r.report.Tell(&umls.Problem{Kind: umls.BadValue, File: r.path, Line: t.line, Message: "the term has no id"}); err != nil {
				return err
			}
		} else if err := r.handOn(t); err != nil {
			return err
		}
	}
	r.stanza, r.term, r.property, r.relation = "?", nil, nil, r.relation[:0]
	return nil
}

func (r *oboReader) handOn(t *term) error {
	if err := r.to.term(t); err != nil {
		return err
	}
	for _, relation := range r.relation {
		relation.head = t.id
		if err := r.to.relation(relation); err != nil {
			return err
		}
	}
	return nil
}

// tag takes a tag and its value; column is where the value begins.
func (r *oboReader) tag(tag, value string, column int) *umls.Problem {
	switch {
	case r.stanza == "":
		r.headerTag(tag, value)
	case r.property != nil:
		switch tag {
		case "id":
			r.property.id = bare(value)
		case "name":
			r.property.name = unescape(stripComment(value))
		case "is_metadata_tag":
			r.property.metadata = bare(value) == "true"
		}
	case r.term != nil:
		return r.termTag(tag, value, column)
	}
	return nil
}

func (r *oboReader) headerTag(tag, value string) {
	switch tag {
	case "ontology":
		r.head.ontology = bare(value)
	case "data-version":
		r.head.version = bare(value)
	case "property_value":
		name, rest, _ := strings.Cut(value, " ")
		text, _, err := quoted(rest)
		if err != nil {
			text = bare(rest)
		}
		switch name {
		case "dc-title", "dc:title", "http://purl.org/dc/elements/1.1/title", "dcterms:title", "http://purl.org/dc/terms/title":
			r.head.title = text
		case "dcterms-license", "dcterms:license", "http://purl.org/dc/terms/license":
			r.head.licence = text
		}
	}
}

func (r *oboReader) place(column int) place { return place{int32(r.line), int32(column)} }

func (r *oboReader) termTag(tag, value string, column int) *umls.Problem {
	t := r.term
	switch tag {
	case "id":
		t.id = bare(value)
	case "name":
		t.name = unescape(stripComment(value))
	case "alt_id":
		t.altIDs = append(t.altIDs, bare(value))
	case "replaced_by":
		t.replacedBy = bare(value)
	case "is_obsolete":
		t.obsolete = bare(value) == "true"
	case "xref", "xref_analog":
		t.xrefs = append(t.xrefs, xref{bare(value), strings.Contains(value, "equivalentTo"), r.place(column)})
	case "is_a":
		r.relation = append(r.relation, relation{label: isA, tail: bare(value), at: r.place(column)})
	case "relationship":
		label, target, found := strings.Cut(value, " ")
		if !found {
			return r.problem(umls.Malformed, column, "a relationship is a name and a term, with a blank between them")
		}
		r.relation = append(r.relation, relation{label: label, tail: bare(strings.TrimSpace(target)), at: r.place(column)})
	case "def":
		text, _, err := quoted(value)
		if err != nil {
			return r.problem(umls.Malformed, column, "%v", err)
		}
		t.definition = text
	case "synonym", "exact_synonym", "related_synonym", "broad_synonym", "narrow_synonym":
		text, rest, err := quoted(value)
		if err != nil {
			return r.problem(umls.Malformed, column, "%v", err)
		}
		t.synonyms = append(t.synonyms, synonym{strings.TrimSpace(text), scopeOf(tag, rest)})
	}
	return nil
}

// scopeOf is the scope that follows a synonym, or that the older tags say.
func scopeOf(tag, rest string) Scope {
	if old, _, found := strings.Cut(tag, "_"); found {
		return Scope(strings.ToUpper(old))
	}
	scope, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	switch Scope(scope) {
	case Exact, Broad, Narrow:
		return Scope(scope)
	}
	return Related // which it is when nothing is said
}

// quoted takes a text in quotation marks from the beginning of a value.
func quoted(value string) (text, rest string, err error) {
	if !strings.HasPrefix(value, `"`) {
		return "", "", errors.New("the text does not begin with a quotation mark")
	}
	for i := 1; i < len(value); i++ {
		switch value[i] {
		case '\\':
			i++
		case '"':
			return unescape(value[1:i]), value[i+1:], nil
		}
	}
	return "", "", errors.New("the text does not end with a quotation mark")
}

// bare is the first word of a value, without what may follow it: a description,
// modifiers in braces, a comment.
func bare(value string) string {
	for i := 0; i < len(value); i++ {
		switch value[i] {
		case '\\':
			i++
		case ' ', '\t':
			return unescape(value[:i])
		}
	}
	return unescape(value)
}

// stripComment cuts off a comment and modifiers.
func stripComment(value string) string {
	value, _, _ = strings.Cut(value, " ! ")
	if before, _, found := strings.Cut(value, " {"); found && strings.HasSuffix(value, "}") {
		value = before
	}
	return strings.TrimSpace(value)
}

// unescape resolves the escapes of OBO.
func unescape(text string) string {
	if !strings.Contains(text, `\`) {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 == len(text) {
			b.WriteByte(text[i])
			continue
		}
		i++
		switch text[i] {
		case 'n':
			b.WriteByte('\n')
		case 't':
			b.WriteByte('\t')
		case 'W':
			b.WriteByte(' ')
		default:
			b.WriteByte(text[i])
		}
	}
	return b.String()
}
