package main

import (
	"encoding/json"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/keci-kg/keci/fusion/engine"
)

// version of the program; the release build overrides it with -ldflags -X.
var version = "dev"

// buildInfo is what `keci version` prints.
type buildInfo struct {
	Version     string   `json:"version"`
	Revision    string   `json:"revision,omitempty"`
	Modified    bool     `json:"modified,omitempty"` // whether there were changes on top of the revision
	Go          string   `json:"go"`
	Experiments []string `json:"experiments"`
	Engines     []string `json:"engines"`
	Platform    string   `json:"platform"`
}

func newVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Version, engines, Go version and experiments, as JSON",
		Example: "  keci version",
		Args:    exactArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			out := json.NewEncoder(cmd.OutOrStdout())
			out.SetIndent("", "  ")
			return out.Encode(readBuildInfo())
		},
	}
}

func readBuildInfo() buildInfo {
	info := buildInfo{
		Version:     version,
		Go:          runtime.Version(),
		Experiments: []string{},
		Engines:     engine.BuiltIn(),
		Platform:    runtime.GOOS + "/" + runtime.GOARCH,
	}
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return info
	}
	for _, s := range build.Settings {
		switch s.Key {
		case "GOEXPERIMENT":
			info.Experiments = strings.Split(s.Value, ",")
		case "vcs.revision":
			info.Revision = s.Value
		case "vcs.modified":
			info.Modified = s.Value == "true"
		}
	}
	return info
}
