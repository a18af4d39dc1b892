package corpus

import (
	"os"
	"path/filepath"
	"testing"
)

// sharedData is the folder with the real corpora. The test is skipped where it is absent.
func sharedData(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("KECI_SHARED_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no shared data: %v (set KECI_SHARED_DATA)", err)
	}
	return dir
}

func readReal(t *testing.T, name string, path ...string) Corpus {
	t.Helper()
	c, err := Read(name, filepath.Join(append([]string{sharedData(t), "corpora", name}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestRealCounts compares with the counts that the corpora are published with.
func TestRealCounts(t *testing.T) {
	tests := []struct {
		name, file                                 string
		examples, mentions, interactions, entities int
	}{
		{BioRelEx, "train.json", 1405, 6925, 2226, 31},
		{BioRelEx, "dev.json", 201, 955, 294, 25},
		{ADE, "ade_full.json", 4272, 10839, 6821, 2},
		{ADE, "ade_split_0_test.json", 427, 0, 0, 2},
		{BC5CDR, "CDR_TrainingSet.PubTator.txt", 500, 9385, 1038, 2},
		{BC5CDR, "CDR_DevelopmentSet.PubTator.txt", 500, 9591, 1012, 2},
		{ChemDisGene, "dev_abstracts.txt.gz", 1521, 36114, 3288, 3}, // 3,291 lines: two of them twice, one of a species
	}
	for _, test := range tests {
		t.Run(test.file, func(t *testing.T) {
			c := readReal(t, test.name, test.file)
			mentions, interactions := 0, 0
			labels := map[string]int{}
			for _, e := range c.Examples {
				mentions += len(e.Entities)
				interactions += len(e.Interactions) + len(e.ConceptRelations)
				if c.Name == ADE {
					interactions += len(e.Relations)
				}
				for _, r := range e.Relations {
					labels[r.Label]++
				}
			}
			t.Logf("%d examples, %d mentions, relations %v, types %v", len(c.Examples), mentions, labels, c.EntityTypes)
			if len(c.Examples) != test.examples || len(c.EntityTypes) != test.entities {
				t.Errorf("examples, types = %d, %d, want %d, %d", len(c.Examples), len(c.EntityTypes), test.examples, test.entities)
			}
			if test.mentions > 0 && (mentions != test.mentions || interactions != test.interactions) {
				t.Errorf("mentions, interactions = %d, %d, want %d, %d", mentions, interactions, test.mentions, test.interactions)
			}
		})
	}
}

// TestRealSplit holds out a tenth of the training sentences: no paper on both
// sides, nothing lost, and another seed holds out others.
func TestRealSplit(t *testing.T) {
	c := readReal(t, BioRelEx, "train.json")
	rest, heldOut := c.Split(0.1, 1)
	if got := len(rest.Examples) + len(heldOut.Examples); got != len(c.Examples) {
		t.Errorf("the sides have %d examples, want %d", got, len(c.Examples))
	}
	if got := len(heldOut.Examples); got != 140 {
		t.Errorf("%d examples held out, want 140", got)
	}
	papers := map[string]bool{}
	for _, e := range heldOut.Examples {
		papers[e.Group] = true
	}
	for _, e := range rest.Examples {
		if papers[e.Group] {
			t.Errorf("paper %s is on both sides", e.Group)
		}
	}
	if _, other := c.Split(0.1, 2); other.Examples[0].ID == heldOut.Examples[0].ID && other.Examples[1].ID == heldOut.Examples[1].ID {
		t.Error("two seeds hold out the same examples")
	}
}

// TestRealOverlap: what doc/training.md tells of papers that two corpora share.
func TestRealOverlap(t *testing.T) {
	biored, err := Read("bioc", filepath.Join(sharedData(t), "corpora", "biored", "Train.BioC.JSON"))
	if err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]int{"CDR_DevelopmentSet.PubTator.txt": 44, "CDR_TrainingSet.PubTator.txt": 42} {
		if _, left := biored.Without(readReal(t, BC5CDR, file)); left != want {
			t.Errorf("%d abstracts of BioRED train are in %s, want %d", left, file, want)
		}
	}
}
