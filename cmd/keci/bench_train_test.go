package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/keci-kg/keci/encoder"
)

func TestBenchTrain(t *testing.T) {
	var out bytes.Buffer
	cmd := newRootCommand()
	cmd.SetOut(&out)
	cmd.SetArgs([]string{"bench", "train", "--random", "1x64", "--batch", "2", "--steps", "2"})
	if err := cmd.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	var report struct{ Results trainResult }
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatal(err)
	}
	r := report.Results
	if r.Step.Runs != 2 || r.Texts != 2 || r.Shards != 2 || r.StepsPerSecond <= 0 || r.FirstSeconds <= 0 || r.Engine == "" {
		t.Errorf("report %s", out.String())
	}
	if r.Parameters < 30_000*64 || len(r.Inputs) == 0 || r.Inputs[0] != "(Int32)[1, 64]" {
		t.Errorf("%d parameters, inputs %q", r.Parameters, r.Inputs)
	}
}

// TestMadeUpTexts: the text fills 64 places, and its annotations are of its names.
func TestMadeUpTexts(t *testing.T) {
	dir, err := modelDir("")
	if err != nil {
		t.Fatal(err)
	}
	tokenizer, err := encoder.LoadTokenizer(dir)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(tokenizer.Tokenize(madeUpText)); n != 62 {
		t.Errorf("%d word pieces, want 62", n)
	}
	c := madeUpTexts(3)
	if len(c.Examples) != 3 || c.Examples[0].ID == c.Examples[2].ID {
		t.Errorf("texts %+v", c.Examples)
	}
	var names []string
	for _, e := range c.Examples[0].Entities {
		names = append(names, c.Examples[0].Text[e.Start:e.End])
	}
	if got := strings.Join(names, " "); got != "FKBP12 rapamycin FK506 calcineurin mTOR" {
		t.Errorf("entities %s", got)
	}
}

func TestBenchTrainWrongCalls(t *testing.T) {
	for _, args := range []string{
		"", "--encoder x --random 1x64", "--random big", "--random 1x65", "--random 0x64", "--random 1x64 --steps 0",
		"--random 1x64 --corpus ade", "--random 1x64 --variant best", "--random 1x64 --variant keci", "--random 1x64 --engine abacus",
	} {
		cmd := newRootCommand()
		cmd.SetArgs(append([]string{"bench", "train"}, strings.Fields(args)...))
		if err := cmd.ExecuteContext(t.Context()); exitCode(err) != exitUsage {
			t.Errorf("%q: exit code %d (%v), want %d", args, exitCode(err), err, exitUsage)
		}
	}
}
