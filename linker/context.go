package linker

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/linker/abbreviation"
	"github.com/keci-kg/keci/linker/negation"
)

// Link returns the mentions of names in text, in order of their start, longer
// ones first, with all their candidates, best first. Offsets are bytes of text.
// The ids are T1, T2, …
//
// An abbreviation that the text spells out is a mention wherever it occurs. Its
// candidates are those of its long form, whose mention LongForm names, and then
// its own. It belongs to the final mapping as its long form does, unless a
// longer mention holds it. What belongs to that in one place does so wherever the
// text has it, but where it overlaps another that does, or is very unlikely. Negated
// tells that the sentence negates the mention.
//
// The slices of semantic types are shared: do not change them.
func (l *Linker) Link(ctx context.Context, text string) ([]graph.Mention, error) {
	mentions, err := l.find(ctx, text)
	if err != nil {
		return nil, err
	}
	for _, other := range l.beside {
		more, err := other.find(ctx, text)
		if err != nil {
			return nil, err
		}
		mentions = merge(mentions, more)
	}
	mentions = spellOut(text, mentions)
	repeatFinal(mentions)
	l.limit(mentions)
	MarkNegated(text, mentions)
	return mentions, nil
}

// repeatFinal takes into the final mapping what belongs to it elsewhere in the text,
// upper and lower case aside, and overlaps nothing there: a reader who wants to know of
// a drug in one sentence wants to in the next. It must not be a very unlikely one there.
// Mentions come in order of their start.
func repeatFinal(mentions []graph.Mention) {
	names := map[string]bool{}
	var chosen []Range // not overlapping, in order
	for _, m := range mentions {
		if m.Final {
			names[strings.ToLower(m.Text)] = true
			chosen = append(chosen, Range{m.Start, m.End})
		}
	}
	end := 0 // of the last mention that was chosen
	for i, m := range mentions {
		for len(chosen) > 0 && chosen[0].Start <= m.Start {
			end, chosen = max(end, chosen[0].End), chosen[1:]
		}
		overlaps := m.Start < end || len(chosen) > 0 && chosen[0].Start < m.End // a final one is itself chosen
		if !overlaps && m.Concepts[0].Confidence >= leastRepeated && names[strings.ToLower(m.Text)] {
			mentions[i].Final, end = true, m.End
		}
	}
}

// leastRepeated is the least confidence of what is final because it is elsewhere: with
// less, many common words ("tests") are, too.
const leastRepeated = 0.1

// limit cuts the candidates of what was put together to the number asked for.
func (l *Linker) limit(mentions []graph.Mention) {
	if l.maxCandidates <= 0 {
		return
	}
	for i, m := range mentions {
		mentions[i].Concepts = m.Concepts[:min(len(m.Concepts), l.maxCandidates)]
	}
}

// MarkNegated sets Negated of mentions, whose offsets are bytes of text, by what
// their sentence says (package negation). Mentions must be in order of their start.
func MarkNegated(text string, mentions []graph.Mention) {
	if len(mentions) == 0 {
		return
	}
	rest := mentions
	for _, sentence := range Sentences(text) {
		scopes := negation.Scopes(text[sentence.Start:sentence.End])
		for ; len(rest) > 0 && rest[0].Start < sentence.End; rest = rest[1:] {
			start, end := rest[0].Start-sentence.Start, rest[0].End-sentence.Start
			for len(scopes) > 0 && scopes[0].End <= start {
				scopes = scopes[1:]
			}
			rest[0].Negated = len(scopes) > 0 && scopes[0].Holds(start, end)
		}
	}
}

// definitions are the long forms that have a mention, by their short form.
type definitions struct {
	of      map[string][]definition
	lengths []int // of the short forms, in bytes, longest first
}

// definition is where a short form is spelled out.
type definition struct {
	at   int // where the short form stands beside it
	long *graph.Mention
}

// newDefinitions finds the definitions of a text.
func newDefinitions(text string, mentions []graph.Mention) definitions {
	d := definitions{of: map[string][]definition{}}
	found := abbreviation.Find(text)
	if len(found) == 0 {
		return d
	}
	for _, f := range found {
		if long := mentionOf(mentions, Range(f.Long)); long != nil {
			short := text[f.Short.Start:f.Short.End]
			d.of[short] = append(d.of[short], definition{f.Short.Start, long})
			d.lengths = append(d.lengths, len(short))
		}
	}
	slices.Sort(d.lengths)
	d.lengths = slices.Compact(d.lengths)
	slices.Reverse(d.lengths)
	return d
}

// mentionOf finds the mention of a range in a list in order, nil when there is none.
func mentionOf(mentions []graph.Mention, r Range) *graph.Mention {
	i, found := slices.BinarySearchFunc(mentions, graph.Mention{Start: r.Start, End: r.End}, compareRanges)
	if !found {
		return nil
	}
	return &mentions[i]
}

// at is the long form of the short form that begins at byte i and where that
// ends: the long form given last before, or else the first one after.
func (d definitions) at(text string, i int) (long *graph.Mention, end int) {
	for _, n := range d.lengths {
		if i+n > len(text) {
			continue
		}
		list := d.of[text[i:i+n]]
		end, ok := wordEnd(text, i+n)
		if len(list) == 0 || !ok {
			continue
		}
		next, _ := slices.BinarySearchFunc(list, i+1, func(d definition, at int) int { return cmp.Compare(d.at, at) })
		return list[max(0, next-1)].long, end
	}
	return nil, 0
}

// wordEnd is the end of the word that a short form up to byte end is, a plural
// ending after a capital included; it is false when the word goes on otherwise.
func wordEnd(text string, end int) (int, bool) {
	last := text[end-1]
	if 'A' <= last && last <= 'Z' && end < len(text) && text[end] == 's' && !wordAt(text, end+1) {
		return end + 1, true
	}
	return end, !wordAt(text, end)
}

// wordAt reports whether a letter, a digit or a mark on one stands at byte i.
func wordAt(text string, i int) bool {
	r, _ := utf8.DecodeRuneInString(text[i:])
	return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r)
}

// spellOut links each short form that the text defines through its long form.
func spellOut(text string, mentions []graph.Mention) []graph.Mention {
	known := newDefinitions(text, mentions)
	if len(known.lengths) == 0 {
		return mentions
	}
	longForms := map[Range]*graph.Mention{} // of the short forms found
	inWord := false
	for i := range text {
		wasInWord := inWord
		inWord = wordAt(text, i)
		if !inWord || wasInWord {
			continue
		}
		if long, end := known.at(text, i); long != nil {
			longForms[Range{i, end}] = long
		}
	}
	return withLongForms(text, mentions, longForms)
}

// withLongForms gives the ranges of short forms the candidates of the long forms.
func withLongForms(text string, mentions []graph.Mention, longForms map[Range]*graph.Mention) []graph.Mention {
	spelled := make([]graph.Mention, 0, len(mentions)+len(longForms))
	for _, m := range mentions {
		if long := longForms[Range{m.Start, m.End}]; long != nil {
			m.Concepts, m.Final = followedBy(long.Concepts, m.Concepts), m.Final || long.Final
		}
		spelled = append(spelled, m)
	}
	for r, long := range longForms {
		if mentionOf(mentions, r) == nil {
			spelled = append(spelled, graph.Mention{
				Start: r.Start, End: r.End, Text: text[r.Start:r.End], Concepts: slices.Clone(long.Concepts), Final: long.Final,
			})
		}
	}
	number(spelled)
	settleFinal(spelled)
	for i, m := range spelled {
		if long := longForms[Range{m.Start, m.End}]; long != nil {
			spelled[i].LongForm = mentionOf(spelled, Range{long.Start, long.End}).ID
		}
	}
	return spelled
}

// followedBy gives the candidates of both lists, each concept once.
func followedBy(first, second []graph.Candidate) []graph.Candidate {
	list := slices.Clone(first)
	for _, c := range second {
		if !holds(first, c.CUI) {
			list = append(list, c)
		}
	}
	return list
}

func holds(list []graph.Candidate, cui graph.CUI) bool {
	return slices.ContainsFunc(list, func(c graph.Candidate) bool { return c.CUI == cui })
}

// number sorts mentions, longer ones first where they begin alike, and gives them ids.
func number(mentions []graph.Mention) {
	slices.SortFunc(mentions, compareRanges)
	for i := range mentions {
		mentions[i].ID = "T" + strconv.Itoa(i+1)
	}
}

func compareRanges(a, b graph.Mention) int {
	return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(b.End, a.End))
}

// AddConcepts gives each mention the candidates that linked, which [Linker.Link] gave for
// the same text, has at its exact range; others keep theirs.
func AddConcepts(mentions, linked []graph.Mention) {
	at := make(map[Range][]graph.Candidate, len(linked))
	for _, m := range linked {
		at[Range{m.Start, m.End}] = m.Concepts
	}
	for i, m := range mentions {
		if concepts := at[Range{m.Start, m.End}]; concepts != nil {
			mentions[i].Concepts = concepts
		}
	}
}

// NameLongForms sets LongForm of the mentions whose exact range is a short form
// among linked, which [Linker.Link] gave for the same text, where the long form is
// a mention too.
func NameLongForms(mentions, linked []graph.Mention) {
	ids := make(map[Range]string, len(mentions))
	for _, m := range mentions {
		ids[Range{m.Start, m.End}] = m.ID
	}
	rangeOf := make(map[string]Range, len(linked))
	for _, m := range linked {
		rangeOf[m.ID] = Range{m.Start, m.End}
	}
	longForms := map[Range]string{}
	for _, m := range linked {
		if m.LongForm != "" {
			longForms[Range{m.Start, m.End}] = ids[rangeOf[m.LongForm]]
		}
	}
	for i, m := range mentions {
		mentions[i].LongForm = longForms[Range{m.Start, m.End}]
	}
}
