package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestSummarize(t *testing.T) {
	ms := time.Millisecond
	for name, test := range map[string]struct {
		times []time.Duration
		want  latency
	}{
		"one":  {[]time.Duration{3 * ms}, latency{1, 3, 3}},
		"odd":  {[]time.Duration{9 * ms, 1 * ms, 4 * ms}, latency{3, 4, 1}},
		"fine": {[]time.Duration{1234567 * time.Nanosecond}, latency{1, 1.23, 1.23}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := summarize(test.times); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestWriteBenchReport(t *testing.T) {
	var out bytes.Buffer
	if err := writeBenchReport(&out, "encoder", []encoderResult{{Batch: 8, Seq: 64, latency: latency{Runs: 5, MedianMs: 2, MinMs: 1}}}); err != nil {
		t.Fatal(err)
	}
	var report struct {
		Benchmark string
		Machine   struct{ CPUs int }
		Versions  struct{ Go string }
		Results   []struct{ Batch, Seq, MedianMs float64 }
	}
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatal(err)
	}
	if report.Benchmark != "encoder" || report.Machine.CPUs == 0 || report.Versions.Go == "" || len(report.Results) != 1 || report.Results[0].MedianMs != 2 {
		t.Errorf("report %s", out.String())
	}
}

func TestBenchEncoderNeedsItsFolder(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		code int
		want string
	}{
		"no folder":      {nil, exitUsage, "--encoder"},
		"empty folder":   {[]string{"--encoder", t.TempDir()}, exitFailed, "config.json"},
		"unknown engine": {[]string{"--encoder", "x", "--engine", "abacus"}, exitUsage, "abacus"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := newRootCommand()
			cmd.SetArgs(append([]string{"bench", "encoder"}, test.args...))
			err := cmd.ExecuteContext(t.Context())
			if exitCode(err) != test.code || err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v with exit code %d, want %d and %q", err, exitCode(err), test.code, test.want)
			}
		})
	}
}

func TestBenchLink(t *testing.T) {
	kb := filepath.Join(t.TempDir(), "kb")
	if _, _, err := runKB(t, "build", kb, "--rrf", writeTables(t)); err != nil {
		t.Fatal(err)
	}
	texts := writeText(t, "texts.txt", "FKBP12 binds rapamycin.\n\nRapamycin.\nno name here\n")
	var out bytes.Buffer
	cmd := newRootCommand()
	cmd.SetOut(&out)
	cmd.SetArgs([]string{"bench", "link", "--kb", kb, "--limit", "2", texts})
	if err := cmd.Execute(); err != nil {
		t.Fatal(err)
	}
	var report struct{ Results linkResult }
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatal(err)
	}
	r := report.Results
	if r.Texts != 2 || r.Bytes != len("FKBP12 binds rapamycin.")+len("Rapamycin.") || r.Candidates < r.Mentions || r.DictionaryMs <= 0 || r.OpenMs <= 0 {
		t.Errorf("report %s", out.String())
	}
	for cores, p := range map[int]linkPass{1: r.OneCore, runtime.GOMAXPROCS(0): r.AllCores} {
		if p.Cores != cores || p.TextsPerSecond <= 0 {
			t.Errorf("%d cores: %s", cores, out.String())
		}
	}
}
