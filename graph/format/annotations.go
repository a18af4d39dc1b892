package format

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/keci-kg/keci/graph"
)

// annotations collects what a file says of one text. Ids that the file gives are
// kept; a mention or relation without one, or with one that is taken, gets the
// next free "T1", "R1" and so on.
type annotations struct {
	mentions  []annotation
	relations []graph.Extraction
	concepts  []graph.ConceptRelation
	lines     []int           // of relations
	taken     map[string]bool // ids of mentions
	ambiguous map[string]bool // ids that several mentions have in the file
}

// annotation is a mention in the words of a file.
type annotation struct {
	graph.Mention      // Text is what the file says, empty if it does not; Start and End are not set
	segment       int  // the part of the text that start counts from
	start, end    int  // in the unit of the file
	line          int  // 0 when it is not known
	joined        bool // has several fragments, which Text joins
}

// errAt is an error on a line.
type errAt struct {
	line int
	err  error
}

func (e *errAt) Error() string { return e.err.Error() }
func (e *errAt) Unwrap() error { return e.err }

// addMention adds a mention.
func (a *annotations) addMention(m annotation) {
	if a.taken == nil {
		a.taken, a.ambiguous = map[string]bool{}, map[string]bool{}
	}
	if a.taken[m.ID] {
		a.ambiguous[m.ID] = true
		m.ID = ""
	}
	if m.ID != "" {
		a.taken[m.ID] = true
	}
	if m.Concepts == nil {
		m.Concepts = []graph.Candidate{}
	}
	a.mentions = append(a.mentions, m)
}

// addRelation adds a relation between mentions.
func (a *annotations) addRelation(r graph.Extraction, line int) {
	a.relations = append(a.relations, r)
	a.lines = append(a.lines, line)
}

// layout places the segments of a document, counted in a unit: it gives the text
// and where each segment begins.
type layout func(graph.OffsetUnit) (text string, starts []int)

// units are what offsets in files count, the most common first.
var units = []graph.OffsetUnit{graph.OffsetCodepoint, graph.OffsetByte, graph.OffsetUTF16}

// annotate gives the document with the annotations, its offsets counted in code
// points. Files seldom say what theirs count: it is the first of the units with
// which every mention has the text that the file says it has. The error is an
// [*errAt].
func (a *annotations) annotate(document graph.Document, place layout) (graph.Document, error) {
	a.nameAll()
	var first error
	for _, unit := range units {
		fitted, err := a.fit(document, place, unit)
		if err == nil {
			return a.relate(fitted)
		}
		if first == nil {
			first = err
		}
	}
	return document, first
}

// nameAll gives an id to what has none.
func (a *annotations) nameAll() {
	next := 0
	for i := range a.mentions {
		if a.mentions[i].ID == "" {
			a.mentions[i].ID, next = freeID("T", next, a.taken)
		}
	}
	taken := map[string]bool{}
	for _, r := range a.relations {
		taken[r.ID] = true
	}
	next = 0
	for i := range a.relations {
		if a.relations[i].ID == "" {
			a.relations[i].ID, next = freeID("R", next, taken)
		}
	}
}

// freeID is the first id behind number that is not taken.
func freeID(prefix string, number int, taken map[string]bool) (string, int) {
	for {
		number++
		if id := prefix + strconv.Itoa(number); !taken[id] {
			return id, number
		}
	}
}

// fit places the mentions, when offsets count unit.
func (a *annotations) fit(document graph.Document, place layout, unit graph.OffsetUnit) (graph.Document, error) {
	text, starts := place(unit)
	document.Text, document.Offsets = text, unit
	document.Mentions = make([]graph.Mention, len(a.mentions))
	for i, m := range a.mentions {
		m.Start, m.End = starts[m.segment]+m.start, starts[m.segment]+m.end
		if m.start >= m.end {
			return document, &errAt{m.line, fmt.Errorf("mention %s: it begins at %d and ends at %d, so it is empty", m.ID, m.start, m.end)}
		}
		document.Mentions[i] = m.Mention
	}
	document, err := document.WithOffsets(graph.OffsetCodepoint)
	if outside := (*graph.RangeError)(nil); errors.As(err, &outside) {
		m := a.mentions[outside.Index]
		return document, &errAt{m.line, fmt.Errorf("mention %s: %d to %d lies outside the text", m.ID, m.start, m.end)}
	}
	if err != nil {
		return document, &errAt{0, err}
	}
	return document, a.checkTexts(document)
}

// checkTexts compares the texts of the mentions with those that the file says
// they have, white space aside, and sets them.
func (a *annotations) checkTexts(document graph.Document) error {
	at := runeOffsets(document.Text)
	for i := range document.Mentions {
		m := &document.Mentions[i]
		text := document.Text[at[m.Start]:at[m.End]]
		said := m.Text
		m.Text = text
		if said == "" || a.mentions[i].joined || sameWords(said, text) {
			continue
		}
		return &errAt{a.mentions[i].line, fmt.Errorf("mention %s: the text from %d to %d is %.80q and not %.80q: the offsets, which are taken as code points, bytes or UTF-16, do not fit",
			m.ID, a.mentions[i].start, a.mentions[i].end, text, said)}
	}
	return nil
}

func sameWords(a, b string) bool {
	return a == b || strings.Join(strings.Fields(a), " ") == strings.Join(strings.Fields(b), " ")
}

// runeOffsets gives the byte offset of every code point of the text, and of its end.
func runeOffsets(text string) []int {
	offsets := make([]int, 0, len(text)+1)
	for i := range text {
		offsets = append(offsets, i)
	}
	return append(offsets, len(text))
}

// relate adds the relations.
func (a *annotations) relate(document graph.Document) (graph.Document, error) {
	document.Relations, document.ConceptRelations = a.relations, a.concepts
	if document.Relations == nil {
		document.Relations = []graph.Extraction{}
	}
	for i, r := range a.relations {
		for _, id := range []string{r.Head, r.Tail} {
			switch {
			case a.ambiguous[id]:
				return document, &errAt{a.lines[i], fmt.Errorf("relation %s: several mentions have the id %q", r.ID, id)}
			case !a.taken[id]:
				return document, &errAt{a.lines[i], fmt.Errorf("relation %s: there is no mention with the id %q", r.ID, id)}
			}
		}
	}
	return document, nil
}

// simpleID is the id of a concept that holds no separator.
var simpleID = regexp.MustCompile(`^([A-Za-z]+:)?[A-Za-z]{0,2}[0-9]+$`)

// conceptsOf reads the ids of a mention. Several are separated by a vertical bar,
// a semicolon or a comma; but these occur within the ids of variants too
// ("c|DEL|1314_1328|", "p.L98,104_K"), so a list is one only when every part of it
// has letters before digits or digits alone ("MESH:D003490", "3175"). "-1" and
// "-" say that the concept is unknown.
func conceptsOf(field string) []graph.Candidate {
	parts := strings.FieldsFunc(field, func(r rune) bool { return strings.ContainsRune("|;, ", r) })
	for _, part := range parts {
		if part != unknownConcept && !simpleID.MatchString(part) {
			parts = []string{field}
			break
		}
	}
	concepts := []graph.Candidate{}
	for _, id := range parts {
		if id != unknownConcept && id != "-" {
			concepts = append(concepts, graph.Candidate{CUI: graph.CUI(id), SemanticTypes: []graph.TUI{}})
		}
	}
	return concepts
}

// unknownConcept stands where a mention is known to denote none of the concepts.
const unknownConcept = "-1"
