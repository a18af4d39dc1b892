package system

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"

	"github.com/keci-kg/keci/fusion"
)

// named is a system that gives its name away.
type named string

func (n named) Variants() []string { return []string{string(n), string(n) + "-small"} }

func (n named) Recipe(string) Recipe { return nil }

func (n named) Open(compute.Backend, string, KnowledgeBase) (fusion.Extractor, error) {
	return nil, errors.New("opened by " + string(n))
}

func (n named) Describe(string) (Description, error) {
	return Description{Method: string(n)}, nil
}

func TestRegistry(t *testing.T) {
	r := Registry{named("first"), named("second")}
	if got := r.Variants(); !slices.Equal(got, []string{"first", "first-small", "second", "second-small"}) {
		t.Errorf("variants %v", got)
	}
	for _, test := range []struct{ config, method, err string }{
		{`{"variant": "first"}`, "first", ""},
		{`{"variant": "second-small", "more": 1}`, "second", ""},
		{`{"variant": "third"}`, "", `keci.json: variant "third" is unknown, there are [first`},
		{`{}`, "", `variant "" is unknown`},
		{`{`, "", "keci.json: unexpected end"},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "keci.json"), []byte(test.config), 0o600); err != nil {
			t.Fatal(err)
		}
		d, err := r.Describe(dir)
		if d.Method != test.method || (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
			t.Errorf("%s: described by %q, %v, want %q, %q", test.config, d.Method, err, test.method, test.err)
		}
		if _, err := r.Open(nil, dir, KnowledgeBase{}); test.method != "" && err.Error() != "opened by "+test.method {
			t.Errorf("%s: %v", test.config, err)
		}
	}
	if _, err := r.Open(nil, t.TempDir(), KnowledgeBase{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a directory without a model: %v", err)
	}
}
