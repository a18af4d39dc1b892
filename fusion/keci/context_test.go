package keci

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/graph"
)

// shortFormLinker knows "fk" as a short form of mdm2 wherever a text gives
// both, as a linker does that reads the whole text.
type shortFormLinker struct{ *fakeKnowledge }

func (l shortFormLinker) Link(ctx context.Context, text string) ([]graph.Mention, error) {
	mentions, err := l.fakeKnowledge.Link(ctx, text)
	long := ""
	for i := range mentions {
		mentions[i].ID = string(rune('a' + i))
		if mentions[i].Text == "mdm2" {
			long = mentions[i].ID
		}
	}
	var known []graph.Mention
	for _, m := range mentions {
		if m.Text == "fk" {
			if long == "" {
				continue
			}
			m.LongForm = long
		}
		known = append(known, m)
	}
	return known, err
}

// TestAbbreviationsOfTheWholeText: what the first sentence spells out is known
// in the second, and the mentions tell so.
func TestAbbreviationsOfTheWholeText(t *testing.T) {
	k := newFakeKnowledge()
	k.names["fk"] = []graph.CUI{"C3"}
	kb := k.base()
	kb.Linker = shortFormLinker{k}
	cfg := everything(tinyConfig())
	cfg.KeptRatio, cfg.Span.MaxWidth = 1, 1 // all spans
	m := newRandomModel(t, cfg, kb, 3)
	text := "The mdm2 (fk) binds p53. Not heparin but fk binds insulin."
	doc := extract(t, m, text)
	byText := map[string][]graph.Mention{}
	for _, mention := range doc.Mentions {
		byText[mention.Text] = append(byText[mention.Text], mention)
	}
	long, short := byText["mdm2"], byText["fk"]
	if len(long) != 1 || len(short) != 2 {
		t.Fatalf("%d mdm2 and %d fk", len(long), len(short))
	}
	for _, s := range short {
		if s.LongForm != long[0].ID || len(s.Concepts) != 1 || s.Concepts[0].CUI != "C3" {
			t.Errorf("short form %+v, want one of %s", s, long[0].ID)
		}
	}
	negated := map[string]bool{"heparin": true, "fk": false, "mdm2": false, "p53": false, "insulin": false}
	for name, want := range negated {
		for _, mention := range byText[name] {
			if mention.Negated != want {
				t.Errorf("%s: negated is %t", name, mention.Negated)
			}
		}
	}
	if alone := extract(t, m, "Not heparin but fk binds insulin."); len(alone.Mentions) > 0 {
		for _, mention := range alone.Mentions {
			if mention.LongForm != "" || mention.Text == "fk" && len(mention.Concepts) > 0 {
				t.Errorf("alone: %+v", mention)
			}
		}
	}
}

// TestOneSentence: a text of one sentence is prepared as an example of training is.
func TestOneSentence(t *testing.T) {
	m := seesEverything(t, newFakeKnowledge())
	for _, text := range []string{"p53 binds mdm2", "Sjögren β-catenin; insulin receptor."} {
		r, err := m.prepare(t.Context(), text)
		if err != nil || len(r.instances) != 1 {
			t.Fatalf("%d sentences, %v", len(r.instances), err)
		}
		if diff := cmp.Diff(mustInstance(t, m, text), r.instances[0], cmp.AllowUnexported(candidate{}, background{}, node{})); diff != "" {
			t.Errorf("%q: example - sentence +:\n%s", text, diff)
		}
	}
}
