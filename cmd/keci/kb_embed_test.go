package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keci-kg/keci/fusion/keci"
	"github.com/keci-kg/keci/fusion/kge"
)

// buildTree makes a knowledge base of a small ontology: a binary tree.
func buildTree(t *testing.T) string {
	t.Helper()
	var obo strings.Builder
	obo.WriteString("format-version: 1.2\nontology: tree\n")
	for i := 1; i <= 40; i++ {
		fmt.Fprintf(&obo, "\n[Term]\nid: TREE:%04d\nname: node %s\ndef: \"a node of the tree\" []\n", i, strings.Repeat("ab", i%5+1))
		if i > 1 {
			fmt.Fprintf(&obo, "is_a: TREE:%04d\n", i/2)
		}
		if i > 2 {
			fmt.Fprintf(&obo, "relationship: part_of TREE:%04d\n", i-1)
		}
	}
	dir := filepath.Join(t.TempDir(), "tree")
	mustKeci(t, "kb", "build", dir, "--obo", writeText(t, "tree.obo", obo.String()), "-q")
	return dir
}

// TestEmbedAndTrain goes from a knowledge base to a model with its embeddings,
// which extracts with another.
func TestEmbedAndTrain(t *testing.T) {
	kb, encoderDir, data, dir := buildTree(t), writeEncoder(t), writeAnnotated(t, 6), t.TempDir()
	train := func(name string, more ...string) (keci.Config, error) {
		out := filepath.Join(dir, name)
		_, _, err := keciRun(t, append([]string{"train", "--corpus", "jsonl", "--data", data, "--encoder", encoderDir, "--kb", kb,
			"--out", out, "--epochs", "1", "--held-out", "0", "--quiet"}, more...)...)
		if err != nil {
			return keci.Config{}, err
		}
		_, cfg, err := keci.Describe(filepath.Join(out, "best"))
		return cfg, err
	}
	if _, err := train("none", "--variant", "keci"); exitCode(err) != exitUsage || !strings.Contains(err.Error(), "keci kb embed "+kb) {
		t.Errorf("error %v, want how to make embeddings", err)
	}
	if cfg, err := train("without"); err != nil || cfg.Variant != keci.VariantNoKGE || cfg.Knowledge.Embeddings != nil {
		t.Errorf("variant %s, embeddings %+v, %v", cfg.Variant, cfg.Knowledge.Embeddings, err)
	}

	embed := []string{"kb", "embed", kb, "--encoder", encoderDir, "--steps", "5", "--batch", "16", "--negatives", "8", "--size", "10", "--held-out", "0.2", "-q"}
	var report kge.Report
	if err := json.Unmarshal([]byte(mustKeci(t, append(embed, "--compare")...)), &report); err != nil {
		t.Fatal(err)
	}
	if report.Concepts != 40 || report.HeldOut.Queries == 0 || report.Unseen.Queries == 0 || report.OwnVector == nil || !strings.Contains(report.Method, "ComplEx") {
		t.Errorf("report %+v", report)
	}
	first := readFile(t, filepath.Join(kb, kge.FileName))
	mustKeci(t, append(embed, "--compare")...)
	if readFile(t, filepath.Join(kb, kge.FileName)) != first {
		t.Error("the same seed gives another file")
	}

	cfg, err := train("with")
	if err != nil || cfg.Variant != keci.VariantKECI || cfg.Knowledge.Embeddings == nil || cfg.Knowledge.Embeddings.Size != 10 || cfg.Knowledge.Embeddings.KnowledgeBase.Name != "tree" {
		t.Fatalf("variant %s, embeddings %+v, %v", cfg.Variant, cfg.Knowledge.Embeddings, err)
	}
	text := writeText(t, "text.txt", "Cat eats fish.")
	if out := mustKeci(t, "extract", text, "--model", filepath.Join(dir, "with", "best"), "--kb", buildSmallKB(t)); !strings.Contains(out, `"kb":{"name":"small"`) {
		t.Errorf("extracted %s", out)
	}
}

func TestEmbedWrongCalls(t *testing.T) {
	for want, args := range map[string][]string{
		"--encoder is missing": {"some-kb"},
		"keci kb build":        {"--encoder", "e"},
		"unknown flag: --out":  {"some-kb", "--encoder", "e", "--out", "f"},
		"even":                 {"some-kb", "--encoder", "e", "--size", "7"},
		"at most 1":            {"a", "b"},
	} {
		_, _, err := keciRun(t, append([]string{"kb", "embed"}, args...)...)
		if exitCode(err) != exitUsage || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: error %v, want one with %q", args, err, want)
		}
	}
}

// That the embeddings cannot be written is told before anything is learned.
func TestEmbedSeesWhereItWrites(t *testing.T) {
	kb := buildSmallKB(t)
	if err := os.Mkdir(filepath.Join(kb, kge.FileName), 0o755); err != nil {
		t.Fatal(err)
	}
	_, _, err := keciRun(t, "kb", "embed", kb, "--encoder", "missing")
	if exitCode(err) != exitFailed || !strings.Contains(err.Error(), kge.FileName) {
		t.Errorf("error %v, want one that names %s", err, kge.FileName)
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
