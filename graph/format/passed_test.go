package format

import (
	"os"
	"path/filepath"
	"testing"
)

func TestPassedOver(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"a.txt": "a", "b.txt": "b", "b.ann": "T1\tGene 0 1\tb\n", "alone.ann": "", "c.jsonl": "", "d.json": "{}", "e.md": "e", "f.txt.gz": "",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for kind, want := range map[Kind]int{"": 2, Text: 5, JSONL: 5, Brat: 3} {
		if got := (Files{Kind: kind}).PassedOver(dir); got != want {
			t.Errorf("with the kind %q %d files are passed over, want %d", kind, got, want)
		}
	}
	for _, path := range []string{filepath.Join(dir, "e.md"), filepath.Join(dir, "none")} {
		if got := (Files{}).PassedOver(path); got != 0 {
			t.Errorf("%s: %d files are passed over", path, got)
		}
	}
}
