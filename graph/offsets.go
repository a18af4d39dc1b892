package graph

import (
	"fmt"
	"slices"
	"unicode/utf8"
)

// WithOffsets gives the document with its offsets counted in unit. Offsets of a
// document that names no unit count code points. Only the mentions are copied.
// The error wraps a [*RangeError] when the range of a mention is not one of whole
// characters of the text.
func (d Document) WithOffsets(unit OffsetUnit) (Document, error) {
	from := d.Offsets
	if from == "" {
		from = OffsetCodepoint
	}
	for _, u := range []OffsetUnit{from, unit} {
		if _, err := ParseOffsetUnit(string(u)); err != nil {
			return Document{}, err
		}
	}
	d.Offsets = unit
	d.Mentions = slices.Clone(d.Mentions)
	convert := newOffsetConverter(d.Text, from, unit)
	for i := range d.Mentions {
		m := &d.Mentions[i]
		start, startOK := convert.offset(m.Start)
		end, endOK := convert.offset(m.End)
		if !startOK || !endOK || m.Start > m.End {
			return Document{}, fmt.Errorf("document %q: %w", d.ID, &RangeError{i, m.ID, m.Start, m.End, from})
		}
		m.Start, m.End = start, end
	}
	return d, nil
}

// RangeError tells of a mention whose range is not one of whole characters of its
// text.
type RangeError struct {
	Index      int    // in Document.Mentions
	Mention    string // its id
	Start, End int
	Unit       OffsetUnit
}

func (e *RangeError) Error() string {
	return fmt.Sprintf("mention %s: %d to %d is no range of whole characters, counted by %s, of its text", e.Mention, e.Start, e.End, e.Unit)
}

// ParseOffsetUnit reads the name of a unit.
func ParseOffsetUnit(name string) (OffsetUnit, error) {
	switch unit := OffsetUnit(name); unit {
	case OffsetCodepoint, OffsetByte, OffsetUTF16:
		return unit, nil
	}
	return "", fmt.Errorf("unknown unit of offsets %q: use %s, %s or %s", name, OffsetCodepoint, OffsetByte, OffsetUTF16)
}

// offsetConverter knows what every offset of a text is in another unit.
type offsetConverter struct {
	same    int     // offsets up to this one are the same in both units: only ASCII lies before
	offsets []int32 // of the offsets beyond same; insideCharacter where there is none
}

const insideCharacter = -1

func newOffsetConverter(text string, from, to OffsetUnit) offsetConverter {
	c := offsetConverter{same: asciiPrefix(text)}
	at := int32(c.same) // in the unit to
	for i, size := c.same, 0; i < len(text); i += size {
		var r rune
		r, size = utf8.DecodeRuneInString(text[i:])
		c.offsets = append(c.offsets, at)
		for range unitsOf(r, size, from) - 1 {
			c.offsets = append(c.offsets, insideCharacter)
		}
		at += int32(unitsOf(r, size, to))
	}
	c.offsets = append(c.offsets, at)
	return c
}

// unitsOf is how many units a character of size bytes takes.
func unitsOf(r rune, size int, unit OffsetUnit) int {
	switch {
	case unit == OffsetByte:
		return size
	case unit == OffsetUTF16 && r > 0xFFFF:
		return 2
	}
	return 1
}

// offset converts; it is false for what is outside the text or inside a character.
func (c offsetConverter) offset(i int) (int, bool) {
	switch {
	case i < 0 || i-c.same >= len(c.offsets):
		return 0, false
	case i <= c.same:
		return i, true
	}
	at := c.offsets[i-c.same]
	return int(at), at != insideCharacter
}

// asciiPrefix is the number of bytes before the first character beyond ASCII.
func asciiPrefix(text string) int {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return i
		}
	}
	return len(text)
}
