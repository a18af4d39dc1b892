package keci

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/fusion/modeldir"
)

// keptText has concepts with definitions.
const keptText = "p53 binds insulin and fk506"

// openKeeping opens a model that keeps vectors in a folder.
func openKeeping(t *testing.T, dir, cache string) *Model {
	t.Helper()
	kb := newFakeKnowledge().base()
	kb.Cache = cache
	return openModel(t, dir, kb)
}

// encodedDefinitions are the definitions of keptText as a model sees them.
func encodedDefinitions(t *testing.T, m *Model) map[string]definition {
	t.Helper()
	in := mustInstance(t, m, keptText)
	if err := m.definitions.ensure(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	found := map[string]definition{}
	for n := range definedNodes([]*instance{in}) {
		found[n.Definition] = *n.defined
	}
	if len(found) < 2 {
		t.Fatalf("%d definitions: the test needs some", len(found))
	}
	return found
}

// TestKeptDefinitions: another process reads what one has encoded, bit for bit, and
// encodes nothing again.
func TestKeptDefinitions(t *testing.T) {
	withBags := tinyConfig()
	withBags.Knowledge.Embeddings = &EmbeddingConfig{Size: 4, SemanticTypes: withBags.Knowledge.SemanticTypes}
	for name, cfg := range map[string]Config{"keci": tinyConfig(), "with embeddings": withBags} {
		t.Run(name, func(t *testing.T) {
			dir, cache := newModelFolder(t, cfg, false), filepath.Join(t.TempDir(), "cache")
			afresh := encodedDefinitions(t, openModel(t, dir, newFakeKnowledge().base()))
			if diff := cmp.Diff(afresh, encodedDefinitions(t, openKeeping(t, dir, cache))); diff != "" {
				t.Errorf("the first process (-afresh +kept):\n%s", diff)
			}
			second := openKeeping(t, dir, cache)
			if n := second.definitions.kept.Len(); n != len(afresh) {
				t.Errorf("%d definitions are kept, want %d", n, len(afresh))
			}
			second.definitions.exec = nil // encoding would panic
			if diff := cmp.Diff(afresh, encodedDefinitions(t, second)); diff != "" {
				t.Errorf("the second process (-afresh +kept):\n%s", diff)
			}
			if err := second.Close(); err != nil {
				t.Error(err)
			}
			if err := second.definitions.kept.Close(); !errors.Is(err, os.ErrClosed) {
				t.Errorf("the file of a closed model is open: %v", err)
			}
		})
	}
}

// TestKeptDefinitionsAreOfTheModel: what another model would encode otherwise has
// another file.
func TestKeptDefinitionsAreOfTheModel(t *testing.T) {
	cache := t.TempDir()
	file := func(dir string) string {
		kept := openKeeping(t, dir, cache).definitions.kept
		if kept == nil {
			t.Fatal("nothing is kept")
		}
		return kept.Path()
	}
	dir := newModelFolder(t, tinyConfig(), false)
	shorter := tinyConfig()
	shorter.Knowledge.DefinitionPieces--
	seen := map[string]string{}
	for _, other := range []string{dir, newModelFolder(t, shorter, false), newModelFolder(t, tinyConfig(), true)} {
		name := file(other)
		if seen[name] != "" {
			t.Errorf("%s and %s share %s", other, seen[name], name)
		}
		seen[name] = other
	}
	cfg, err := modeldir.ReadConfig[Config](dir)
	if err != nil {
		t.Fatal(err)
	}
	cfg.EntityThreshold = 0.6
	encoderConfig, err := encoder.LoadConfig(dir)
	if err != nil {
		t.Fatal(err)
	}
	same := filepath.Join(t.TempDir(), "same")
	m := openModel(t, dir, newFakeKnowledge().base())
	if err := modeldir.Save(same, dir, cfg, encoderConfig, m.store, false); err != nil {
		t.Fatal(err)
	}
	if file(same) != file(dir) {
		t.Error("with other thresholds the definitions are encoded again")
	}
}

// TestUnwritableCache: a model opens and answers where nothing can be kept.
func TestUnwritableCache(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	writeFile(t, file, "")
	m := openKeeping(t, newModelFolder(t, tinyConfig(), false), file)
	if m.definitions.kept != nil {
		t.Error("a file was taken for a folder")
	}
	encodedDefinitions(t, m)
	if err := m.Close(); err != nil {
		t.Error(err)
	}
}

// TestForgetKept: the files of the models used last stay.
func TestForgetKept(t *testing.T) {
	dir := t.TempDir()
	var paths []string
	for i, name := range []string{"a", "b", "c", "d", "e", "f"} {
		path := filepath.Join(dir, name+keptSuffix)
		writeFile(t, path, "")
		at := time.Now().Add(time.Duration(i-10) * time.Hour)
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	writeFile(t, filepath.Join(dir, "another"), "")
	forgetKept(paths[0])
	var left []string
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		left = append(left, e.Name())
	}
	want := []string{"a" + keptSuffix, "another", "d" + keptSuffix, "e" + keptSuffix, "f" + keptSuffix}
	if diff := cmp.Diff(want, left); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}
