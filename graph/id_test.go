package graph_test

import (
	"strings"
	"testing"

	"github.com/keci-kg/keci/graph"
)

func TestTextID(t *testing.T) {
	const want = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // FIPS 180-2, example "abc"
	if got := graph.TextID("abc"); got != want {
		t.Errorf("TextID(abc) = %s, want %s", got, want)
	}
}

func TestValidateID(t *testing.T) {
	for id, fault := range map[string]string{
		"PMID:1":                 "",
		"β/1":                    "",
		"":                       "empty",
		strings.Repeat("x", 512): "",
		strings.Repeat("x", 513): "513 bytes",
		"a\xff":                  "UTF-8",
		"a\x00b":                 "U+0000 at byte 1",
		"a\u0085":                "U+0085",
	} {
		err := graph.ValidateID(id)
		if fault == "" && err != nil {
			t.Errorf("ValidateID(%q): %v", id, err)
		}
		if fault != "" && (err == nil || !strings.Contains(err.Error(), fault)) {
			t.Errorf("ValidateID(%q) = %v, want a fault that says %q", id, err, fault)
		}
	}
}
