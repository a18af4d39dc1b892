package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"
)

// applyConfig sets the flags that a YAML file names and the command line does
// not. An error names the file and the line.
func applyConfig(cmd *cobra.Command, path string) error {
	if path == "" {
		return nil
	}
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	defer file.Close()
	var content yaml.Node
	err = yaml.NewDecoder(file).Decode(&content)
	if errors.Is(err, io.EOF) {
		return nil // an empty file
	}
	if err != nil {
		return usageError("read configuration %s: %w", path, err)
	}
	options := content.Content[0]
	if options.Kind != yaml.MappingNode {
		return usageError("%s:%d: the file must hold names of flags with their values, such as \"epochs: 20\"", path, options.Line)
	}
	for i := 0; i+1 < len(options.Content); i += 2 {
		if err := setFlag(cmd, options.Content[i], options.Content[i+1]); err != nil {
			return usageError("%s:%d: %w", path, options.Content[i].Line, err)
		}
	}
	return nil
}

func setFlag(cmd *cobra.Command, name, value *yaml.Node) error {
	flag := cmd.Flags().Lookup(name.Value)
	switch {
	case flag == nil || name.Value == "config" || name.Value == "help":
		return fmt.Errorf("there is no option %q: see %s --help", name.Value, cmd.CommandPath())
	case flag.Changed:
		return nil
	}
	text, err := scalars(value)
	if err != nil {
		return fmt.Errorf("%s: %w", name.Value, err)
	}
	if err := cmd.Flags().Set(name.Value, text); err != nil {
		return fmt.Errorf("%s: %w", name.Value, err)
	}
	return nil
}

// scalars is a value as the command line has it: lists are joined with commas.
func scalars(value *yaml.Node) (string, error) {
	switch value.Kind {
	case yaml.ScalarNode:
		return value.Value, nil
	case yaml.SequenceNode:
		var parts []string
		for _, item := range value.Content {
			if item.Kind != yaml.ScalarNode {
				return "", errors.New("the items of a list must be plain values")
			}
			parts = append(parts, item.Value)
		}
		return strings.Join(parts, ","), nil
	}
	return "", errors.New("the value must be plain, or a list of plain values")
}
