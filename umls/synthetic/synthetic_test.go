package synthetic

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/umls"
)

var types = []graph.SemanticType{{TUI: "T109", Name: "Organic Chemical", TreeNumber: "A1"}, {TUI: "T116", Name: "Protein", TreeNumber: "A2"}}

// A synthetic release has nothing wrong with it, and as much in it as was said.
func TestWrite(t *testing.T) {
	for _, packed := range []bool{false, true} {
		dir := t.TempDir()
		counts, err := Write(t.Context(), dir, Options{Concepts: 2000, Types: types, Packed: packed})
		if err != nil {
			t.Fatal(err)
		}
		if counts.Names < 3*2000 || counts.Names > 4*2000 || counts.Relations < 7*2000 || counts.Definitions < 50 || counts.Types <= 2000 {
			t.Errorf("%+v", counts)
		}
		problems := umls.Problems{Strict: true}
		release, err := umls.Open(dir, umls.Options{Report: problems.Report})
		if err != nil {
			t.Fatal(err)
		}
		concepts, names, labels := 0, 0, map[[2]graph.CUI]bool{}
		for c, err := range release.Concepts(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			concepts++
			names += 1 + len(c.Synonyms)
		}
		for r, err := range release.Relations(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			labels[[2]graph.CUI{r.Head, r.Tail}] = true
		}
		if concepts != 2000 || names < counts.Names*99/100 || len(labels) != counts.Relations {
			t.Errorf("%d concepts, %d names, %d relations of %+v", concepts, names, len(labels), counts)
		}
		for r := range labels {
			if !labels[[2]graph.CUI{r[1], r[0]}] {
				t.Fatalf("%s and %s are related in one direction", r[0], r[1])
			}
		}
	}
}

func TestWriteAgain(t *testing.T) {
	var first []byte
	for _, seed := range []uint64{1, 2} {
		a, b := t.TempDir(), t.TempDir()
		for _, dir := range []string{a, b} {
			if _, err := Write(t.Context(), dir, Options{Concepts: 100, Types: types, Seed: seed}); err != nil {
				t.Fatal(err)
			}
		}
		one, two := read(t, a), read(t, b)
		if !bytes.Equal(one, two) {
			t.Errorf("seed %d: two releases differ", seed)
		}
		if bytes.Equal(one, first) {
			t.Error("two seeds give the same")
		}
		first = one
	}
}

func read(t *testing.T, dir string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, "META", "MRCONSO.RRF"))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestWriteRefuses(t *testing.T) {
	dir := t.TempDir()
	for name, o := range map[string]Options{"none": {Types: types}, "too many": {Concepts: MaxConcepts + 1, Types: types}, "no type": {Concepts: 1}} {
		if _, err := Write(t.Context(), dir, o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Write(ctx, dir, Options{Concepts: 10_000, Types: types}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := Write(t.Context(), dir, Options{Concepts: 1, Types: types}); !errors.Is(err, os.ErrExist) {
		t.Errorf("a folder that is there: %v", err)
	}
}
