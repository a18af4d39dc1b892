package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestMain keeps the configuration of whoever runs the tests out of them.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "keci-config-")
	if err != nil {
		panic(err)
	}
	os.Setenv("XDG_CONFIG_HOME", dir)
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// settled gives the values of flags after a command line, without running it.
func settled(t *testing.T, flags []string, args ...string) (values []string, err error) {
	t.Helper()
	all, err := settledFlags(t, args...)
	if err != nil {
		return nil, err
	}
	for _, flag := range flags {
		values = append(values, all.Lookup(flag).Value.String())
	}
	return values, nil
}

// settledFlags gives all flags of a command after its command line, without running it.
func settledFlags(t *testing.T, args ...string) (*pflag.FlagSet, error) {
	t.Helper()
	root := newRootCommand()
	cmd, rest, err := root.Find(args)
	if err != nil {
		t.Fatal(err)
	}
	cmd.RunE = func(*cobra.Command, []string) error { return nil }
	root.SetArgs(append(strings.Fields(strings.TrimPrefix(cmd.CommandPath(), "keci ")), rest...))
	return cmd.Flags(), root.ExecuteContext(t.Context())
}

func TestSettings(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keci.yaml")
	content := "model: from-file\nquiet: true\nworkers: 3\nserve:\n  addr: file:1\n  cors-origin: [https://a.example, https://b.example]\nkb-build:\n  name: built\n"
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name  string
		env   map[string]string
		flags []string
		args  []string
		want  string
	}{
		{"defaults", nil, []string{"addr", "model"}, []string{"serve"}, "127.0.0.1:8080,"},
		{"file", nil, []string{"addr", "model", "cors-origin"}, []string{"serve", "--config", file}, "file:1,from-file,[https://a.example,https://b.example]"},
		{"file by variable", map[string]string{"KECI_CONFIG": file}, []string{"model", "workers", "quiet"}, []string{"extract"}, "from-file,3,true"},
		{"variable before file", map[string]string{"KECI_MODEL": "from-variable", "KECI_WORKERS": "5"}, []string{"model", "workers"}, []string{"extract", "--config", file}, "from-variable,5"},
		{"variable of the command before the general one", map[string]string{"KECI_MODEL": "general", "KECI_EXTRACT_MODEL": "own"}, []string{"model"}, []string{"extract"}, "own"},
		{"variable of another command", map[string]string{"KECI_SERVE_MODEL": "other"}, []string{"model"}, []string{"extract"}, ""},
		{"command line before all", map[string]string{"KECI_MODEL": "from-variable"}, []string{"model"}, []string{"extract", "--config", file, "--model", "given"}, "given"},
		{"command of two words", map[string]string{"KECI_KB_BUILD_LANGUAGES": "ENG,GER"}, []string{"name", "languages"}, []string{"kb", "build", "--config", file, "out"}, "built,[ENG,GER]"},
		{"form of the log", map[string]string{"KECI_LOG": "json"}, []string{"log"}, []string{"version"}, "json"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for name, value := range test.env {
				t.Setenv(name, value)
			}
			got, err := settled(t, test.flags, test.args...)
			if err != nil || strings.Join(got, ",") != test.want {
				t.Errorf("got %q (error %v), want %q", strings.Join(got, ","), err, test.want)
			}
		})
	}
}

func TestSettingsInTheUsersFolder(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", dir)
	path := filepath.Join(dir, "keci", "config.yaml")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("model: mine\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := settled(t, []string{"model"}, "serve"); err != nil || got[0] != "mine" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestWrongSettings(t *testing.T) {
	for content, want := range map[string]string{
		"kb: a\nadr: b\n":          `keci.yaml:2: there is no flag "adr"`,
		"serve:\n  adr: b\n":       `keci.yaml:2: there is no flag "serve/adr"`,
		"sreve:\n  addr: b\n":      `keci.yaml:1: there is no command "sreve"`,
		"serve:\n  addr: {a: b}\n": "keci.yaml:2: addr: the value must be plain",
		"- a\n":                    "keci.yaml:1: names of flags with their values must stand here",
		"workers: many\n":          `keci.yaml:1: invalid value "many" for --workers`,
		"kb: [a\n":                 "keci.yaml: yaml: line 1",
		"model: [a, b]\n":          "keci.yaml:1: --model takes one value, and a list stands here",
		"kb: [[a]]\n":              "keci.yaml:1: kb: the items of a list must be plain values",
		"kb: [null]\n":             "keci.yaml:1: kb: the items of a list must be plain values",
		"workers: 1\nworkers: 2\n": "keci.yaml:2: workers stands here, and in ",
		"serve:\n  addr: a\nextract:\n  in: text\nserve:\n  addr: b\n": "keci.yaml:6: serve/addr stands here, and in ",
		"workers: 1\nextract:\n  workers: 2\n":                         "",
		"config: other.yaml\n":                                         `keci.yaml:1: there is no flag "config"`,
		"# nothing but a remark\n":                                     "",
		"":                                                             "",
		"extract:\n  workers: many\n":                                  `keci.yaml:2: invalid value "many" for --workers`,
		"evaluate:\n  predictions: 1\n":                                "",
	} {
		file := filepath.Join(t.TempDir(), "keci.yaml")
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := settled(t, nil, "extract", "--config", file)
		switch {
		case want == "" && err != nil:
			t.Errorf("%q: %v", content, err)
		case want != "" && (exitCode(err) != exitUsage || !strings.Contains(err.Error(), want)):
			t.Errorf("%q: error %v, want a wrong call that says %q", content, err, want)
		}
	}
	if _, err := settled(t, nil, "extract", "--config", filepath.Join(t.TempDir(), "none.yaml")); err == nil {
		t.Error("a named file that is absent: no error")
	}
	t.Setenv("KECI_WORKERS", "many")
	if _, err := settled(t, nil, "extract"); exitCode(err) != exitUsage || !strings.Contains(err.Error(), "$KECI_WORKERS") {
		t.Errorf("wrong variable: %v", err)
	}
}

// A flag without a value in the file, as in one to be filled in, has its default.
func TestSettingsWithoutAValue(t *testing.T) {
	file := writeText(t, "keci.yaml", "model:\nout: null\nextract:\n  kb: ~\n  in: \"\"\n")
	got, err := settled(t, []string{"model", "out", "kb", "in"}, "extract", "--config", file)
	if err != nil || strings.Join(got, "|") != "|jsonl|[]|" {
		t.Errorf("got %q, %v", got, err)
	}
}

// listSettings has lists for flags that divide values at commas, and for flags that
// take one value each time.
const listSettings = `quiet: true
extract:
  kb: ["", "data/kb,open"]
train:
  also: [ade=x, "bc5cdr=y"]
  kind: ["gene=gene,protein", disease=disease]
  sweep: [0.5, 1]
kb-build:
  languages: []
  sources: [MSH, "A,B"]
`

func TestListsInSettings(t *testing.T) {
	file := writeText(t, "keci.yaml", listSettings)
	for _, test := range [][3]string{
		{"kb", "extract", `[,"data/kb,open"]`},
		{"also", "train", `[ade=x,bc5cdr=y]`},
		{"kind", "train", `["gene=gene,protein",disease=disease]`},
		{"languages", "kb build out", `[]`},
		{"sources", "kb build out", `[MSH,"A,B"]`},
	} {
		got, err := settled(t, test[:1], append(strings.Fields(test[1]), "--config", file)...)
		if err != nil || got[0] != test[2] {
			t.Errorf("%s has --%s %q (error %v), want %s", test[1], test[0], got, err, test[2])
		}
	}
}

// TestSettledArgs calls a command anew with the arguments that stand for settings,
// and without these.
func TestSettledArgs(t *testing.T) {
	file := writeText(t, "keci.yaml", listSettings)
	for _, test := range []struct {
		command string
		env     map[string]string
		flags   string
		want    []string
	}{
		{"extract", map[string]string{"KECI_MODEL": "my model", "KECI_WORKERS": "3"}, "kb model quiet workers",
			[]string{"--kb=", "--kb=data/kb,open", "--model=my model", "--quiet=true", "--workers=3"}},
		{"extract --model given --kb own", map[string]string{"KECI_MODEL": "my model"}, "kb model quiet", []string{"--quiet=true"}},
		{"train", nil, "also quiet sweep", []string{"--also=ade=x", "--also=bc5cdr=y", "--kind=gene=gene,protein", "--kind=disease=disease", "--quiet=true", "--sweep=0.5", "--sweep=1"}},
		{"kb build out", nil, "languages quiet sources", []string{"--languages=", "--quiet=true", `--sources=MSH,"A,B"`}},
	} {
		t.Run(test.command, func(t *testing.T) {
			for name, value := range test.env {
				t.Setenv(name, value)
			}
			flags, call := strings.Fields(test.flags), strings.Fields(test.command)
			values := func(args ...string) (values, told []string) {
				all, err := settledFlags(t, append(call, args...)...)
				if err != nil {
					t.Fatal(err)
				}
				for _, flag := range flags {
					values = append(values, all.Lookup(flag).Value.String())
				}
				return values, settledArgs(all)
			}
			before, got := values("--config", file)
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
			for name := range test.env {
				os.Unsetenv(name)
			}
			again, left := values(got...)
			if !slices.Equal(before, again) {
				t.Errorf("with these arguments the flags are %q, they were %q", again, before)
			}
			if len(left) > 0 {
				t.Errorf("on the command line, and yet told as settled: %q", left)
			}
		})
	}
}
