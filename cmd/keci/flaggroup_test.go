package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What only some variants have is told apart from what all have, and the manual page,
// which has no groups, says whose it is.
func TestFlagsOfVariantsAreTold(t *testing.T) {
	for _, command := range []string{"train", "crossval"} {
		help, err := run(t, "", command, "--help")
		if err != nil {
			t.Fatal(err)
		}
		common, others, _ := strings.Cut(help, "\nFlags of hnm, hnm-baseline:\n")
		if !strings.Contains(common, "--encoder-rate") || strings.Contains(common, "--temperature") {
			t.Errorf("%s: flags of all variants are not told by themselves:\n%s", command, common)
		}
		if hnm, keci, found := strings.Cut(others, "\nFlags of keci, "); !found || !strings.Contains(hnm, "--temperature") || !strings.Contains(keci, "--window") {
			t.Errorf("%s: flags of variants are not told under their names:\n%s", command, others)
		}
	}
	dir := t.TempDir()
	if _, err := run(t, "", "man", dir); err != nil {
		t.Fatal(err)
	}
	if page, err := os.ReadFile(filepath.Join(dir, "keci-train.1")); err != nil || !strings.Contains(string(page), "remedi: let the classifier") {
		t.Errorf("the manual page does not say whose --part-of-speech is: %v", err)
	}
}
