package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// commands are all that can be run, by their paths.
func commands(t *testing.T) map[string]*cobra.Command {
	t.Helper()
	found := map[string]*cobra.Command{}
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		found[cmd.CommandPath()] = cmd
		for _, sub := range cmd.Commands() {
			if name := sub.Name(); name != "help" && name != "completion" && name != "config" {
				walk(sub)
			}
		}
	}
	walk(newRootCommand())
	return found
}

func TestEveryCommandShowsAnExample(t *testing.T) {
	for path, cmd := range commands(t) {
		if cmd.Short == "" || !strings.Contains(cmd.Example, "keci ") {
			t.Errorf("%s: no short help, or no example that calls keci", path)
		}
		out, err := run(t, "", append(strings.Fields(path)[1:], "--help")...)
		if err != nil || !strings.Contains(out, "Examples:") || !strings.Contains(out, "keci help config") {
			t.Errorf("%s --help: %v\n%s", path, err, out)
		}
	}
}

// Examples name commands and flags that there are.
func TestExamplesAreTrue(t *testing.T) {
	for path, cmd := range commands(t) {
		for _, call := range callsOf(cmd.Example) {
			found, rest, err := newRootCommand().Find(call)
			if err != nil {
				t.Errorf("%s: the example %q names no command", path, strings.Join(call, " "))
				continue
			}
			for _, word := range rest {
				name, _, _ := strings.Cut(strings.TrimPrefix(word, "--"), "=")
				if strings.HasPrefix(word, "--") && found.Flags().Lookup(name) == nil && found.InheritedFlags().Lookup(name) == nil {
					t.Errorf("%s: the example %q has the flag %s, which there is not", path, strings.Join(call, " "), word)
				}
			}
		}
	}
}

// callsOf gives the words of each call of keci in a text of commands, up to what
// the shell takes from it.
func callsOf(example string) (calls [][]string) {
	text := strings.NewReplacer("\\\n", " ", "|", "\n", "&&", "\n", "$(", "\n", ">", " > ").Replace(example)
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		for i, word := range words {
			if word != "keci" {
				continue
			}
			call := words[i+1:]
			for j, word := range call {
				if word == ">" || word == "&" || strings.HasPrefix(word, "#") {
					call = call[:j]
					break
				}
			}
			calls = append(calls, call)
			break
		}
	}
	return calls
}

// A wrong number of arguments is told in our own words, with what is right.
func TestWrongArguments(t *testing.T) {
	for call, want := range map[string]string{
		"man":              "keci man takes exactly 1 argument, and got 0: keci man DIR [flags]; see keci man --help",
		"man a b":          "keci man takes exactly 1 argument, and got 2: ",
		"kb diff a":        "keci kb diff takes exactly 2 arguments, and got 1: keci kb diff ",
		"kb search":        "keci kb search takes at least 1 argument, and got 0: ",
		"graph paths C1":   "keci graph paths takes exactly 2 arguments, and got 1: ",
		"kb info a b":      "keci kb info takes at most 1 argument, and got 2: ",
		"bench link":       "keci bench link takes at least 1 argument, and got 0: ",
		"evaluate x.jsonl": `keci evaluate takes no arguments, and got ["x.jsonl"]; see keci evaluate --help`,
		"kb sing":          `there is no command "sing"; see keci kb --help`,
		"sing":             `there is no command "sing"; see keci --help`,
		"help sing":        `there is no command "sing"; see keci --help`,
		"help kb sing":     `there is no command "kb sing"; see keci --help`,
	} {
		_, err := run(t, "", strings.Fields(call)...)
		if exitCode(err) != exitUsage || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("keci %s: %v, want a wrong call: %s", call, err, want)
		}
	}
}

func TestPromisedCommands(t *testing.T) {
	found := commands(t)
	for _, path := range []string{"serve", "extract", "link", "kb build", "kb info", "kb search", "kb show", "kb subgraph", "kb diff", "load",
		"train", "evaluate", "crossval", "report", "model info", "model import", "model quantize",
		"bench link", "bench extract", "bench encoder", "graph concepts", "graph relations", "graph evidence", "graph paths", "graph export", "version"} {
		if found["keci "+path] == nil {
			t.Errorf("there is no keci %s", path)
		}
	}
}

func TestHelpTellsOfSettings(t *testing.T) {
	t.Setenv("KECI_CONFIG", writeText(t, "keci.yaml", "broken: [")) // who reads the help may want to mend it
	out, err := run(t, "", "help", "config")
	if err != nil || !strings.Contains(out, "KECI_MAX_TEXT_BYTES") || !strings.Contains(out, "config.yaml") {
		t.Errorf("keci help config: %v\n%s", err, out)
	}
	out, err = run(t, "", "help")
	if err != nil || !strings.Contains(out, "keci help config") || !strings.Contains(out, "Exit codes: 0 done") {
		t.Errorf("keci help: %v\n%s", err, out)
	}
}

func TestManualPages(t *testing.T) {
	var before []byte
	for range 2 {
		dir := filepath.Join(t.TempDir(), "man1")
		if _, err := run(t, "", "man", dir); err != nil {
			t.Fatal(err)
		}
		page, err := os.ReadFile(filepath.Join(dir, "keci-extract.1"))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{`.TH "KECI-EXTRACT" "1"`, "--max-text-bytes", "EXAMPLE"} {
			if !strings.Contains(strings.ReplaceAll(string(page), `\-`, "-"), want) {
				t.Errorf("the page of keci extract lacks %q", want)
			}
		}
		if before != nil && string(before) != string(page) {
			t.Error("the pages differ from one call to the next")
		}
		before = page
		if pages, _ := filepath.Glob(filepath.Join(dir, "*.1")); len(pages) < len(commands(t)) {
			t.Errorf("%d pages for %d commands", len(pages), len(commands(t)))
		}
	}
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if out, err := run(t, "", "completion", shell); err != nil || !strings.Contains(out, "keci") {
			t.Errorf("%s: %v", shell, err)
		}
	}
	for _, test := range [][2]string{{"extract --out bi", "bioc"}, {"link --offsets u", "utf16"}, {"--log j", "json"}, {"kb su", "subgraph"}} {
		args := append([]string{"__complete"}, strings.Fields(test[0])...)
		if out, err := run(t, "", args...); err != nil || !strings.Contains(out, test[1]) {
			t.Errorf("%s: %v, completed by %q", test[0], err, out)
		}
	}
}

func TestLogAsJSON(t *testing.T) {
	_, told, err := runAll(t, `{"id":"a","text":""}`, "link", "--in", "jsonl", "--out", "graphml", "--kb", buildSmallKB(t), "--log", "json")
	if exitCode(err) != exitSomeFailed {
		t.Errorf("error %v", err)
	}
	var failure struct {
		ID    string
		Error struct{ Detail string }
	}
	if err := json.Unmarshal([]byte(told), &failure); err != nil || failure.ID != "a" || failure.Error.Detail == "" {
		t.Errorf("the failure is told as %q", told)
	}
	var out strings.Builder
	logger := &lineLogger{log: jsonLog(&out)}
	for _, part := range []string{"half ", "a line\nand", " another\n", "lost"} {
		if _, err := logger.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
	}
	var messages []string
	for line := range strings.Lines(out.String()) {
		var record struct{ Level, Msg string }
		if err := json.Unmarshal([]byte(line), &record); err != nil || record.Level != "INFO" {
			t.Errorf("%q: %v", line, err)
		}
		messages = append(messages, record.Msg)
	}
	if strings.Join(messages, "|") != "half a line|and another" {
		t.Errorf("logged %q", messages)
	}
	if _, err := run(t, "", "version", "--log", "xml"); exitCode(err) != exitUsage {
		t.Errorf("--log xml: %v", err)
	}
}

func TestTell(t *testing.T) {
	for form, want := range map[string]string{"text": "keci: --x is wrong\n", "json": `"level":"ERROR","msg":"--x is wrong"}` + "\n"} {
		root := newRootCommand()
		if err := root.PersistentFlags().Set("log", form); err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		tell(root, &out, usageError("--x is wrong"))
		if !strings.HasSuffix(out.String(), want) {
			t.Errorf("%s: told %q", form, out.String())
		}
	}
}
