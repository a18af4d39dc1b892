package graph_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/graph"
)

// Places of the words "p53" and "é" (e and a combining accent) in each unit.
const offsetsText = "α😀p53 e\u0301, 👩\u200d🔬end"

var offsetsWant = map[graph.OffsetUnit][][2]int{
	graph.OffsetByte:      {{0, 2}, {2, 6}, {6, 9}, {10, 13}, {15, 26}, {26, 29}},
	graph.OffsetCodepoint: {{0, 1}, {1, 2}, {2, 5}, {6, 8}, {10, 13}, {13, 16}},
	graph.OffsetUTF16:     {{0, 1}, {1, 3}, {3, 6}, {7, 9}, {11, 16}, {16, 19}},
}

func documentWith(unit graph.OffsetUnit, ranges ...[2]int) graph.Document {
	d := graph.Document{ID: "d", Text: offsetsText, Offsets: unit}
	for _, r := range ranges {
		d.Mentions = append(d.Mentions, graph.Mention{ID: "T1", Start: r[0], End: r[1]})
	}
	return d
}

func TestWithOffsets(t *testing.T) {
	for from, ranges := range offsetsWant {
		for to, wantRanges := range offsetsWant {
			document := documentWith(from, ranges...)
			got, err := document.WithOffsets(to)
			if err != nil {
				t.Errorf("%s to %s: %v", from, to, err)
				continue
			}
			if diff := cmp.Diff(documentWith(to, wantRanges...), got); diff != "" {
				t.Errorf("%s to %s, want - got +:\n%s", from, to, diff)
			}
			if diff := cmp.Diff(documentWith(from, ranges...), document); diff != "" {
				t.Errorf("%s to %s changed its input:\n%s", from, to, diff)
			}
		}
	}
}

func TestWithOffsetsWithoutUnitCountsCodePoints(t *testing.T) {
	got, err := documentWith("", [2]int{2, 5}).WithOffsets(graph.OffsetByte)
	if err != nil || got.Text[got.Mentions[0].Start:got.Mentions[0].End] != "p53" {
		t.Errorf("got %+v, %v", got.Mentions, err)
	}
}

func TestWithOffsetsRefuses(t *testing.T) {
	for name, document := range map[string]graph.Document{
		"inside a character":      documentWith(graph.OffsetByte, [2]int{1, 2}),
		"inside a surrogate pair": documentWith(graph.OffsetUTF16, [2]int{1, 2}),
		"outside the text":        documentWith(graph.OffsetCodepoint, [2]int{0, 17}),
		"negative":                documentWith(graph.OffsetByte, [2]int{-1, 2}),
		"backwards":               documentWith(graph.OffsetCodepoint, [2]int{2, 1}),
		"unknown unit":            documentWith("words", [2]int{0, 1}),
	} {
		for unit := range offsetsWant {
			if _, err := document.WithOffsets(unit); err == nil {
				t.Errorf("%s: no error", name)
			}
		}
	}
	if _, err := documentWith(graph.OffsetByte).WithOffsets("words"); err == nil {
		t.Error("unknown unit asked for: no error")
	}
}

func TestValidateText(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       error
	}{
		{"fine", "p53\tbinds\r\nDNA.", nil},
		{"fine with the replacement character", "p53 \uFFFD", nil},
		{"form feed, vertical tab and next line", "p53\fbinds\vDNA\u0085", nil},
		{"a digit is enough", "😀 1", nil},
		{"at the limit", strings.Repeat("a", 100), nil},
		{"empty", "", graph.ErrEmptyText},
		{"white space only", " \n\t\u00A0", graph.ErrEmptyText},
		{"too long", strings.Repeat("a", 101), graph.ErrTextTooLong},
		{"broken UTF-8", "p53 \xff", graph.ErrInvalidUTF8},
		{"cut UTF-8", "p53 \xf0\x9f\x98", graph.ErrInvalidUTF8},
		{"NUL", "p\x0053", graph.ErrControlCharacter},
		{"escape", "\x1b[31mp53", graph.ErrControlCharacter},
		{"C1 control", "p53\u0084", graph.ErrControlCharacter},
		{"emoji only", "😀 👩\u200d🔬!", graph.ErrNoWords},
	} {
		if err := graph.ValidateText(test.text, 100); !errors.Is(err, test.want) {
			t.Errorf("%s: got %v, want %v", test.name, err, test.want)
		}
	}
	if err := graph.ValidateText(strings.Repeat("a", 1000), 0); err != nil {
		t.Errorf("no limit: %v", err)
	}
}
