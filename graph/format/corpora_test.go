package format_test

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/format"
)

// corpora is the folder of the real corpora; without it the test is skipped.
func corpora(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("KECI_SHARED_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	dir = filepath.Join(dir, "corpora")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no corpora: set KECI_SHARED_DATA (%v)", err)
	}
	return dir
}

// readCorpus reads a file of which everything must be good.
func readCorpus(t *testing.T, path string, kind format.Kind) (documents []graph.Document) {
	t.Helper()
	for d, err := range format.ReadAnnotatedFile(path, kind) {
		if err != nil {
			t.Fatal(err)
		}
		documents = append(documents, d)
	}
	return documents
}

func TestRealCorpora(t *testing.T) {
	dir := corpora(t)
	type counts struct{ documents, mentions, relations int }
	for file, want := range map[string]counts{
		"bc5cdr/CDR_TrainingSet.PubTator.txt":    {500, 9385, 1038},
		"bc5cdr/CDR_DevelopmentSet.PubTator.txt": {500, 9591, 1012},
		"biored/Train.BioC.JSON":                 {400, 13351, 4178},
		"biored/Dev.BioC.JSON":                   {100, 3533, 1162},
		"biored/Train.PubTator":                  {400, 13351, 4178},
		"chemdisgene/dev_abstracts.txt.gz":       {1521, 41430, 0},
		"chemdisgene/test_abstracts.txt.gz":      {1939, 57382, 0},
	} {
		var got counts
		for _, d := range readCorpus(t, filepath.Join(dir, file), "") {
			got.documents++
			got.mentions += len(d.Mentions)
			got.relations += len(d.ConceptRelations)
		}
		if got != want {
			t.Errorf("%s: got %+v, want %+v", file, got, want)
		}
	}
}

// The makers of BioRED give it out in both forms: they must read the same.
func TestBioREDReadsTheSameInBothForms(t *testing.T) {
	dir := filepath.Join(corpora(t), "biored")
	inOrder := func(file string) []graph.Document {
		documents := readCorpus(t, filepath.Join(dir, file), "")
		for _, d := range documents {
			for i := range d.Mentions {
				d.Mentions[i].ID = ""
			}
			slices.SortStableFunc(d.Mentions, func(a, b graph.Mention) int {
				return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End), cmp.Compare(a.Type, b.Type))
			})
		}
		return documents
	}
	if diff := gocmp.Diff(inOrder("Dev.BioC.JSON"), inOrder("Dev.PubTator")); diff != "" {
		t.Errorf("JSON - PubTator +:\n%s", diff)
	}
}
