package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keci-kg/keci/encoder"
)

func TestPretrain(t *testing.T) {
	dir := t.TempDir()
	var texts strings.Builder
	for i := range 30 {
		fmt.Fprintf(&texts, "the protein %s binds the drug %s .\n", strings.Repeat("ab", i%7+1), strings.Repeat("cd", i%5+1))
	}
	text, out := filepath.Join(dir, "texts.txt"), filepath.Join(dir, "bio")
	if err := os.WriteFile(text, []byte(texts.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"pretrain", "--encoder", writeEncoder(t), "--text", text, "--out", out, "--steps", "4", "--every", "2", "--batch", "2",
		"--length", "16", "--held-out", "0.2", "--quiet"}
	printed, err := run(t, "", append(args, "--max-steps", "2")...)
	if err != nil || !strings.Contains(printed, "held-out perplexity") {
		t.Fatalf("%v: %s", err, printed)
	}
	if _, err := run(t, "", args...); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("error %v, want that the encoder exists", err)
	}
	if _, err := run(t, "", append(args, "--resume")...); err != nil {
		t.Fatal(err)
	}
	cfg, err := encoder.LoadConfig(out)
	if err != nil || cfg.HiddenSize != 8 {
		t.Errorf("configuration %+v, error %v", cfg, err)
	}
	card, err := os.ReadFile(filepath.Join(out, "README.md"))
	if err != nil || !strings.Contains(string(card), "of 4 steps of 2 rows") || !strings.Contains(string(card), "keci ") {
		t.Errorf("card %s, error %v", card, err)
	}
}

func TestPretrainWronglyCalled(t *testing.T) {
	for name, args := range map[string][]string{
		"no encoder":  {"--text", "a.txt", "--out", "out"},
		"no multiple": {"--encoder", "e", "--text", "a.txt", "--out", "out", "--steps", "5", "--every", "2"},
	} {
		if _, err := run(t, "", append([]string{"pretrain"}, args...)...); exitCode(err) != exitUsage {
			t.Errorf("%s: error %v, want a wrong call", name, err)
		}
	}
}
