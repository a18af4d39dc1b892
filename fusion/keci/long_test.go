package keci

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/fusion/engine/enginetest"
	"github.com/keci-kg/keci/fusion/modeldir/tinybert"
	"github.com/keci-kg/keci/graph"
)

// TestWindowsOfALongRow compares a text that the encoder reads in two windows,
// beside a short one, with the reference.
func TestWindowsOfALongRow(t *testing.T) {
	cfg := tinyConfig()
	cfg.Span.MaxWidth, cfg.KeptRatio = 1, 0.02 // the reference is slow
	k := newFakeKnowledge()
	m := newRandomModel(t, cfg, k.base(), 4)
	texts := []string{"mdm2", strings.TrimSpace(strings.Repeat("p53 binds fk506 (insulin), ", 70)), "a β-catenin"}
	var instances []*instance
	for _, text := range texts {
		instances = append(instances, mustInstance(t, m, text))
	}
	if n := len(instances[1].Pieces); n <= maxRow {
		t.Fatalf("%d pieces fit into one window", n)
	}
	p := predictTogether(t, m, len(texts), instances...)
	r := newReference(t, m, k)
	for row, text := range texts {
		r.compare(t, text, p, row, r.read(t, text))
	}
}

// TestShortEncoder reads with an encoder that reads fewer pieces at once than others:
// texts in more windows, and of definitions what fits.
func TestShortEncoder(t *testing.T) {
	cfg := tinyConfig()
	cfg.Span.MaxWidth, cfg.KeptRatio, cfg.Knowledge.DefinitionPieces = 1, 0.1, 100
	dir, k := tinybert.Write(t, wordPieces[4:]...), newFakeKnowledge()
	c := k.concepts["C1"]
	c.Definition = strings.Repeat("a tumor suppressor ", 30)
	k.concepts["C1"] = c
	m := newRandomModelOn(t, dir, cfg, k.base(), 4)
	text := strings.TrimSpace(strings.Repeat("mdm2 binds fk506 (insulin), ", 12))
	in := mustInstance(t, m, text)
	if n, row := len(in.Pieces), m.encoderConfig.MaxPositionEmbeddings; n <= row || n > maxWindow {
		t.Fatalf("%d pieces, %d are read at once", n, row)
	}
	r := newReference(t, m, k)
	var err error
	if r.encoder, err = encoder.Open(enginetest.Go(), dir); err != nil {
		t.Fatal(err)
	}
	r.compare(t, text, predictTogether(t, m, 1, in), 0, r.read(t, text))
	if _, err := m.Extract(t.Context(), graph.Document{ID: "long definition", Text: "p53 binds " + text}); err != nil {
		t.Error(err)
	}
}

// TestTextsWithoutFullStops: what is too long to be read at once is read in
// parts, which cover all of it and cut no word.
func TestTextsWithoutFullStops(t *testing.T) {
	cfg := everything(tinyConfig())
	cfg.Span.MaxWidth, cfg.KeptRatio = 2, 0.02
	m := newRandomModel(t, cfg, newFakeKnowledge().base(), 4)
	for name, text := range map[string]string{
		"short":            "p53 binds mdm2",
		"words":            strings.Repeat("insulin receptor kinase ", 1100), // 3,300 pieces
		"words of pieces":  strings.Repeat("rapamycins ", 400),
		"no white space":   strings.Repeat("β-catenin/", 300),
		"one unknown word": strings.Repeat("x", 4000),
		"emoji":            strings.Repeat("🧬", 2000),
		"punctuation":      strings.Repeat("-", 1200),
		"two sentences":    strings.Repeat("fk506 and ", 300) + "p53. Mdm2 binds p53.",
	} {
		t.Run(name, func(t *testing.T) {
			var got, want []string
			next := 0
			for _, part := range m.sentences(text) {
				if strings.TrimSpace(text[next:part.Start]) != "" {
					t.Errorf("%q is left out", text[next:part.Start])
				}
				next = part.End
				pieces := m.tokenizer.Tokenize(text[part.Start:part.End])
				if len(pieces) > maxWindow {
					t.Errorf("a part has %d pieces", len(pieces))
				}
				for _, p := range pieces {
					got = append(got, text[part.Start+p.Start:part.Start+p.End])
				}
			}
			if strings.TrimSpace(text[next:]) != "" {
				t.Errorf("%q is left out", text[next:])
			}
			for _, p := range m.tokenizer.Tokenize(text) {
				want = append(want, text[p.Start:p.End])
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("pieces of the parts (-want +got):\n%s", diff)
			}
			doc, err := m.Extract(t.Context(), graph.Document{ID: name, Text: text})
			if err != nil {
				t.Fatal(err)
			}
			for _, mention := range doc.Mentions {
				if text[mention.Start:mention.End] != mention.Text {
					t.Errorf("mention %+v", mention)
				}
			}
		})
	}
}
