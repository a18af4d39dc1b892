package pretrained_test

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/engine/enginetest"
	"github.com/keci-kg/keci/fusion/keci"
	"github.com/keci-kg/keci/fusion/keci/pretrained"
	"github.com/keci-kg/keci/fusion/score"
	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/umls/knowledgebase"
)

// open is the model of the program with the knowledge base of the program.
func open(t *testing.T) *keci.Model {
	t.Helper()
	cache := t.TempDir()
	t.Setenv(knowledgebase.CacheVariable, cache)
	dir, err := pretrained.Dir(cache)
	if err != nil {
		t.Fatal(err)
	}
	kb, err := knowledgebase.OpenDefault(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kb.Close() })
	model, err := keci.Open(enginetest.Go(), dir, keci.KnowledgeBase{
		Linker: kb.Linker, Knowledge: kb.Knowledge, Provenance: *kb.Provenance(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return model
}

func TestFindsBindings(t *testing.T) {
	model := open(t)
	text := "FKBP12 binds FK506 and rapamycin, and the complex inhibits calcineurin."
	doc, err := model.Extract(t.Context(), graph.Document{Text: text})
	if err != nil {
		t.Fatal(err)
	}
	byID := map[string]string{}
	for _, m := range doc.Mentions {
		if text[m.Start:m.End] != m.Text {
			t.Errorf("mention %s has offsets %d–%d, where the text has %q", m.Text, m.Start, m.End, text[m.Start:m.End])
		}
		byID[m.ID] = m.Text
	}
	bound := map[string]bool{}
	for _, r := range doc.Relations {
		bound[byID[r.Head]+"–"+byID[r.Tail]] = true
	}
	for _, want := range []string{"FKBP12–FK506", "FKBP12–rapamycin"} {
		if !bound[want] {
			t.Errorf("%s is missing among %v", want, bound)
		}
	}
}

// Of each corpus that the model learned from it finds what that corpus annotates.
func TestFindsEntitiesOfAllKinds(t *testing.T) {
	model := open(t)
	doc, err := model.Extract(t.Context(), graph.Document{Text: "Metformin may cause lactic acidosis. Mutations in BRCA1 increase the risk of breast cancer. " +
		"The V600E mutation of BRAF was found in mice. FKBP12 binds rapamycin."})
	if err != nil {
		t.Fatal(err)
	}
	types := map[string]string{}
	for _, m := range doc.Mentions {
		types[m.Text] = m.Type
	}
	for text, want := range map[string]string{
		"Metformin": "chemical", "lactic acidosis": "adverse-effect", "BRCA1": "gene", "breast cancer": "disease",
		"V600E": "mutation", "mice": "organism", "FKBP12": "gene", "rapamycin": "chemical",
	} {
		if types[text] != want {
			t.Errorf("%s is of type %q, want %q", text, types[text], want)
		}
	}
	labels := map[string]bool{}
	for _, r := range doc.Relations {
		labels[r.Label] = true
	}
	for _, want := range []string{"adverse-effect", "CID", "Association", "bind"} {
		if !labels[want] {
			t.Errorf("no relation %s among %v", want, labels)
		}
	}
}

// The model was trained with another knowledge base than the one it is served
// with here; what that costs is in doc/results.md.
func TestServesWithAnotherKnowledgeBase(t *testing.T) {
	for name, least := range map[string]struct {
		file             string
		entity, relation float64
	}{
		corpus.BioRelEx: {"biorelex/dev.json", 0.85, 0.57},
		corpus.ADE:      {"ade/ade_split_0_test.json", 0.865, 0.75},
	} {
		t.Run(name, func(t *testing.T) {
			gold, err := corpus.Read(name, shared(t, "corpora", filepath.FromSlash(least.file)))
			if err != nil {
				t.Fatal(err)
			}
			model, ok := open(t).For(name)
			if !ok {
				t.Fatal("the model did not learn from it")
			}
			documents, err := corpus.Map(t.Context(), gold, func(ctx context.Context, e corpus.Example) (graph.Document, error) {
				return model.Extract(ctx, graph.Document{ID: e.ID, Text: e.Text})
			})
			if err != nil {
				t.Fatal(err)
			}
			result, err := score.Evaluate(gold, documents)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("entity F1 %.4f, relation F1 %.4f", result.EntityF1, result.RelationF1)
			if result.EntityF1 < least.entity || result.RelationF1 < least.relation {
				t.Errorf("entity F1 %.4f, relation F1 %.4f: less than the model card says", result.EntityF1, result.RelationF1)
			}
		})
	}
}

func TestDirIsMadeOnce(t *testing.T) {
	cache := t.TempDir()
	dirs := make([]string, 4)
	var group sync.WaitGroup
	for i := range dirs {
		group.Go(func() {
			var err error
			if dirs[i], err = pretrained.Dir(cache); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	for _, dir := range dirs {
		if dir != dirs[0] {
			t.Errorf("the model lies in %s and in %s", dirs[0], dir)
		}
	}
	left, err := os.ReadDir(filepath.Join(cache, "model"))
	if err != nil || len(left) != 1 {
		t.Errorf("%d entries in the cache (%v), want the model alone", len(left), err)
	}
}

// shared is a file of the shared data, which not every checkout has beside it.
func shared(t *testing.T, path ...string) string {
	t.Helper()
	root := os.Getenv("KECI_SHARED_DATA")
	if root == "" {
		root = filepath.Join("..", "..", "..", "..", "shared", "data")
	}
	file := filepath.Join(append([]string{root}, path...)...)
	if _, err := os.Stat(file); err != nil {
		t.Skipf("no shared data: %v", err)
	}
	return file
}
