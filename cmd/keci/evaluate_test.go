package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keci-kg/keci/fusion"
	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/graph"
)

const evaluateGold = `[
	{"id": "a", "paperid": "1", "text": "α binds B", "entities": [
		{"label": "protein", "names": {"α": {"is_mentioned": true, "mentions": [[0, 1]]}}},
		{"label": "protein", "names": {"B": {"is_mentioned": true, "mentions": [[8, 9]]}}}],
	 "interactions": [{"participants": [0, 1], "type": "bind", "label": 1}]},
	{"id": "b", "paperid": "2", "text": "C", "entities": [
		{"label": "DNA", "names": {"C": {"is_mentioned": true, "mentions": [[0, 1]]}}}], "interactions": []}]`

// The second document failed, and the file does not end in a newline.
const evaluatePredicted = `{"id":"a","text":"α binds B","offsets":"codepoint","mentions":[{"id":"T1","start":0,"end":1,"text":"α","type":"protein"},{"id":"T2","start":8,"end":9,"text":"B","type":"DNA"}],"relations":[{"id":"R1","head":"T2","tail":"T1","label":"bind"}]}

{"id":"b","error":{"title":"too long"}}`

// evaluate runs the command with the given predictions on standard input.
func evaluate(t *testing.T, predictions string, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	cmd := newRootCommand()
	cmd.SetArgs(append([]string{"evaluate"}, args...))
	cmd.SetIn(strings.NewReader(predictions))
	cmd.SetOut(&out)
	err := cmd.Execute()
	return out.String(), err
}

func TestEvaluatePredictions(t *testing.T) {
	gold := filepath.Join(t.TempDir(), "gold.json")
	if err := os.WriteFile(gold, []byte(evaluateGold), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := evaluate(t, evaluatePredicted, "--corpus", "biorelex", "--data", gold, "--predictions", "-")
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Corpus               string
		Documents, Missing   int
		EntityF1, RelationF1 float64
		Entities             map[string]float64
		EntityTypes          map[string]map[string]float64
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	if got.Corpus != "biorelex" || got.Documents != 2 || got.Missing != 1 || got.EntityF1 != 0.8 || got.RelationF1 != 1 ||
		got.Entities["tp"] != 2 || got.Entities["fn"] != 1 || got.EntityTypes["DNA"]["fp"] != 1 {
		t.Errorf("result is %s", out)
	}

	_, err = evaluate(t, evaluatePredicted+"\n{", "--corpus", "biorelex", "--data", gold, "--predictions", "-")
	if exitCode(err) != exitFailed || !strings.Contains(err.Error(), "standard input:4") {
		t.Errorf("broken line: %v", err)
	}
}

func TestEvaluateWrongCalls(t *testing.T) {
	for call, want := range map[string]string{
		"--corpus ace":  "biorelex, ade",
		"--corpus ade":  "--data",
		"--gold x.json": "unknown flag",
		"--corpus ade --data x --predictions y --model m":       "--model is of no use here: --predictions",
		"--corpus ade --data x --predictions y --engine go":     "--engine is of no use here: --predictions",
		"--corpus ade --data x --predictions y --results r":     "--results and --reliability need one",
		"--corpus ade --data x --skip 0.5":                      "--skip is of no use here",
		"--corpus ade --data x --link-model m":                  "--link-model is of no use here",
		"--corpus ade --data x --predictions y --link-model m":  "--link-model is of no use here",
		"--corpus medmentions --data x --model m":               "--model is of no use here: --corpus medmentions measures the linker",
		"--corpus medmentions --data x --engine go":             "--engine is of no use here",
		"--corpus medmentions --data x --predictions y":         "--predictions is of no use here",
		"--corpus medmentions --data x --results r":             "--results is of no use here",
		"--corpus medmentions --data x --reliability r.png":     "--reliability is of no use here",
		"--corpus medmentions --data x --skip-invalid":          "--skip-invalid is of no use here",
		"--corpus medmentions --data x --skip 1":                "--skip is 1",
		"--corpus medmentions --data x --skip -0.1":             "--skip is -0.1",
		"--corpus medmentions --data x --skip NaN":              "--skip is NaN",
		"--corpus medmentions --skip 0.5 --link-model m --kb k": "--data is missing",
	} {
		_, err := evaluate(t, "", strings.Fields(call)...)
		if exitCode(err) != exitUsage || !strings.Contains(err.Error(), want) {
			t.Errorf("evaluate %s: %v, want a wrong call that says %q", call, err, want)
		}
	}
}

// What the environment says for other commands as well is passed over.
func TestEvaluateWithSettingsOfOthers(t *testing.T) {
	t.Setenv("KECI_MODEL", "none")
	t.Setenv("KECI_ENGINE", "go")
	t.Setenv("KECI_RESULTS", "none")
	t.Setenv("KECI_RELIABILITY", filepath.Join(t.TempDir(), "none", "x.png"))
	gold := writeText(t, "gold.json", evaluateGold)
	if _, err := evaluate(t, evaluatePredicted, "--corpus", "biorelex", "--data", gold, "--predictions", "-"); err != nil {
		t.Errorf("predictions: %v", err)
	}
	if _, err := evaluate(t, "", "--corpus", "medmentions", "--data", "none.jsonl"); exitCode(err) != exitFailed || !strings.Contains(err.Error(), "none.jsonl") {
		t.Errorf("the linker: error %v, want that the texts are not there", err)
	}
}

// What was measured is told, whatever becomes of the picture.
func TestEvaluateTellsBeforeItDraws(t *testing.T) {
	var out strings.Builder
	o := evaluateOptions{reliability: filepath.Join(t.TempDir(), "none", "x.png")}
	err := o.write(&out, evaluation{}, reliability{})
	if err == nil || !json.Valid([]byte(out.String())) {
		t.Errorf("error %v, output %q", err, out.String())
	}
}

func TestEvaluateNothing(t *testing.T) {
	for corpus, content := range map[string]string{"biorelex": "[]", "jsonl": "", medMentions: ""} {
		_, err := evaluate(t, "", "--corpus", corpus, "--data", writeText(t, "gold.json", content))
		if exitCode(err) != exitFailed || !strings.Contains(err.Error(), "gold.json") {
			t.Errorf("no text in %s: %v", corpus, err)
		}
	}
}

// slowExtractor finds nothing, and takes its time for it.
type slowExtractor struct{ fusion.Extractor }

func (slowExtractor) Extract(_ context.Context, doc graph.Document) (graph.Document, error) {
	time.Sleep(plainInterval / 2)
	return doc, nil
}

// TestReadingTextsIsTold counts the texts that are read for whoever is to know, and
// tells nobody else.
func TestReadingTextsIsTold(t *testing.T) {
	texts := corpus.Corpus{Examples: make([]corpus.Example, 4*runtime.GOMAXPROCS(0))}
	for _, quiet := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var told strings.Builder
			if _, err := extractCorpus(t.Context(), slowExtractor{}, texts, newTextProgress(&told, quiet)); err != nil {
				t.Fatal(err)
			}
			if want := fmt.Sprintf("of %d, ", len(texts.Examples)); strings.Contains(told.String(), want) == quiet {
				t.Errorf("quiet %t: told %q", quiet, told.String())
			}
		})
	}
	for _, path := range []string{"keci evaluate", "keci report attention", "keci report changes"} {
		if commands(t)[path].Flags().ShorthandLookup("q") == nil {
			t.Errorf("%s reads a corpus and has no --quiet", path)
		}
	}
}
