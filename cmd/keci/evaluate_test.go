package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
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
	for want, args := range map[string][]string{
		"biorelex, ade": {"--corpus", "ace"},
		"--data":        {"--corpus", "ade"},
		"--predictions": {"--corpus", "ade", "--data", "x.json", "--predictions", "y.jsonl", "--model", "m"},
		"unknown flag":  {"--gold", "x.json"},
	} {
		_, err := evaluate(t, "", args...)
		if exitCode(err) != exitUsage || !strings.Contains(err.Error(), want) {
			t.Errorf("evaluate %v: %v, want a wrong call that names %s", args, err, want)
		}
	}
}
