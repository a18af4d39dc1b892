package remedi

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/engine/enginetest"
	"github.com/keci-kg/keci/fusion/modeldir"
	"github.com/keci-kg/keci/fusion/results"
	"github.com/keci-kg/keci/fusion/train"
	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/internal/parallel"
)

// TestSpeech also fails where another version of the tagger tells other tags:
// models that hear of them would then have to be trained again.
func TestSpeech(t *testing.T) {
	tokens := tokenizer(t)
	cfg := ade()
	cfg.PartsOfSpeech = pennTags
	tagger, err := newSpeech(cfg.PartsOfSpeech)
	if err != nil {
		t.Fatal(err)
	}
	m := &Model{cfg: cfg, tokenizer: tokens, speech: tagger}
	for name, test := range map[string]struct{ text, want string }{
		"masked":               {"The [lithium] led to <severe rash>.", "The/DT drug/NN led/VBD to/TO effect/NN"},
		"upper case":           {"THE PATIENT DEVELOPED <RASH>", "THE/DT PATIENT/NN DEVELOPED/VBD effect/NN"},
		"several pieces":       {"the heparin caused fever", "the/DT hepa/NN rin/NN caused/VBD fever/NN"},
		"a mention of several": {"<fever> by [heparin] after 3 days", "effect/NN by/IN drug/NN after/IN 3/CD days/NNS"},
		"quotes":               {"“[lithium]” was 'the' ‘cause’ of \"fever\"", "drug/NN was/VBD the/DT cause/NN of/IN fever/NN"},
		"apostrophe":           {"it’s the patient's <rash>", "it/PRP s/VBD the/DT patient/NN s/NN effect/NN"},
		"values and hyphens":   {"drug-induced <rash> (p = 0.05) was severe", "drug/NN induced/VBD effect/NN was/VBD severe/JJ"},
		"accents":              {"naïve café workers took [aspirin]", "naïve/JJ café/NN workers/NNS took/VBD drug/NN"},
		"combining accents":    {"nai\u0308ve workers took [aspirin]", "nai\u0308ve/JJ workers/NNS took/VBD drug/NN"},
		"Greek and CJK":        {"β blockers and 薬物 caused <rash>", "β/NN blockers/NNS and/CC 薬/NNP 物/NNP caused/VBD effect/NN"},
		"soft hyphen, emoji":   {"hepa\u00adrin 🎉 caused <rash>", "hepa/NN rin/NN caused/VBD effect/NN"},
		"no tag of words":      {"<rash> in 0 of 12", "effect/NN in/IN 0/ of/IN 12/CD"},
		"nothing":              {"…", ""},
	} {
		x, ok := cfg.example(tokens, annotated("", test.text))
		if !ok {
			t.Fatalf("%s: mentions overlap", name)
		}
		text := m.mask(x.pieces, x.spelled, x.places)
		if len(text.speech) != len(text.pieces) || len(text.spelled) != len(text.pieces) {
			t.Fatalf("%s: %d tags and %d texts of %d pieces", name, len(text.speech), len(text.spelled), len(text.pieces))
		}
		var got []string
		for i, tag := range text.speech {
			got = append(got, text.spelled[i]+"/"+append([]string{""}, pennTags...)[tag])
		}
		if joined := strings.Join(got, " "); joined != test.want {
			t.Errorf("%s: %q, want %q", name, joined, test.want)
		}
	}
}

// told has two sentences that read the same but for the part of speech of a word
// that the vocabulary lacks.
func told() corpus.Corpus {
	c := tinyCorpus()
	c.Examples = []corpus.Example{
		annotated("1", "[lithium] produced <rash>", [2]int{1, 0}),
		annotated("2", "[lithium] without <rash>"),
	}
	return c
}

// TestLearnPartOfSpeech learns by heart what only the parts of speech tell, and
// answers the same after it was opened. Without them it cannot be learned.
func TestLearnPartOfSpeech(t *testing.T) {
	o := options()
	o.Epochs = 40
	for _, with := range []bool{true, false} {
		out := t.TempDir()
		l := newLearnerOf(t, told(), Settings{PartOfSpeech: with})
		history, err := train.Run(t.Context(), enginetest.Go(), l, o, out, silent{})
		if err != nil {
			t.Fatal(err)
		}
		best := history.Epochs[history.Best].Score
		if learned := best.Relation == 1; best.Entity != 1 || learned != with {
			t.Errorf("with parts of speech %v: learned to %+v", with, best)
		}
		dir := t.TempDir()
		if err := l.Save(t.Context(), dir); err != nil {
			t.Fatal(err)
		}
		config, err := os.ReadFile(filepath.Join(dir, modeldir.ConfigFile))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(config), "partsOfSpeech") != with || hasVariable(l, "/groups/speech/embeddings") != with {
			t.Errorf("with parts of speech %v: the configuration is %s", with, config)
		}
		answerAlike(t, l.model, dir)
	}
}

func hasVariable(l *Learner, path string) bool {
	for v := range l.Store().IterVariables() {
		if v.Path() == path {
			return true
		}
	}
	return false
}

// answerAlike compares what a model and the one in a folder find, asked many times
// at once.
func answerAlike(t *testing.T, m *Model, dir string) {
	t.Helper()
	opened, err := Open(enginetest.Go(), dir, knowledge)
	if err != nil {
		t.Fatal(err)
	}
	texts := slices.Repeat([]string{"Lithium produced rash.", "“Lithium” without rash. Aspirin after fever; naïve nausea by heparin.", ""}, 4)
	extract := func(m *Model) []graph.Document {
		documents, err := parallel.Map(t.Context(), texts, func(ctx context.Context, text string) (graph.Document, error) {
			d, err := m.Extract(ctx, graph.Document{ID: "x", Text: text})
			d.Model = nil // the digest is known when a model is opened
			return d, err
		})
		if err != nil {
			t.Fatal(err)
		}
		return documents
	}
	want := extract(m)
	if len(want[0].Mentions) != 2 {
		t.Errorf("mentions %+v", want[0].Mentions)
	}
	if diff := cmp.Diff(want, extract(opened)); diff != "" {
		t.Errorf("opened, the model answers otherwise: %s", diff)
	}
	if diff := cmp.Diff(want[:3], want[9:]); diff != "" {
		t.Errorf("the last answers are others: %s", diff)
	}
}

func TestRecord(t *testing.T) {
	for with, want := range map[bool]map[string]any{
		false: {"concatenations": 0.33, "classWeighting": 0.5},
		true:  {"concatenations": 0.33, "classWeighting": 0.5, "partOfSpeech": true},
	} {
		r := System{}.Recipe(Variant).(*recipe)
		r.settings.PartOfSpeech = with
		var training results.Training
		r.Record(&training)
		if diff := cmp.Diff(want, training.Settings); diff != "" {
			t.Errorf("with parts of speech %v: %s", with, diff)
		}
	}
}
