package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"
)

const settingsHelp = `Every flag of a command can also be set by a variable of the environment and by a
configuration file. The command line goes before the environment, and that before
the file.

A variable is KECI_ with the name of the flag in capitals: KECI_KB for --kb,
KECI_MAX_TEXT_BYTES for --max-text-bytes. With the name of a command between, it
holds for that command alone and goes before the general one: KECI_SERVE_ADDR,
KECI_KB_BUILD_SOURCES. Of a flag that is given several times, like --also, a variable
has one value; a list stands in the file.

The file is YAML: flags with their values, and for each command a section with
those that hold for it alone. Several values of one flag are written as a list. The
file is the one that --config or KECI_CONFIG names, or else keci/config.yaml in
$XDG_CONFIG_HOME (by default ~/.config). A flag without a value there stays as it is.

    kb: /data/umls-2026AA
    quiet: true
    serve:
      addr: 0.0.0.0:8080
      cors-origin: [https://example.org]
    kb-build:
      languages: [ENG]

The password for Neo4j is no flag: it is read from $KECI_NEO4J_PASSWORD or a file.

What keci can make again lies in $KECI_CACHE_DIR, by default keci in the user's cache
folder: the model and the knowledge base of the program, the compiled layout engine of
its pictures, and the vectors of the definitions that models have read. For these alone
$KECI_DEFINITION_CACHE names another folder; off keeps none, and each process encodes
them again.`

// newSettingsTopic is what "keci help config" shows.
func newSettingsTopic() *cobra.Command {
	return &cobra.Command{Use: "config", Short: "Flags in the environment and in a configuration file", Long: settingsHelp}
}

const (
	configFlag     = "config"
	configVariable = "KECI_CONFIG"
	variablePrefix = "KECI_"
)

// setting is the value of a flag, or the list of its values, and where it stands.
type setting struct {
	values []string
	list   bool
	place  string
}

// applySettings gives the flags of a command that are not on its command line
// what the environment says, or the configuration file.
func applySettings(cmd *cobra.Command) error {
	file, err := readSettings(cmd.Root())
	if err != nil {
		return err
	}
	section := sectionOf(cmd)
	var failure error
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		if flag.Changed || failure != nil || !canBeSet(flag) {
			return
		}
		found, ok := fromEnvironment(section, flag.Name)
		if !ok {
			found, ok = file.find(section, flag.Name)
		}
		if !ok {
			return
		}
		if failure = found.apply(flag); failure == nil {
			flag.Changed = true
			_ = cmd.Flags().SetAnnotation(flag.Name, settledAnnotation, found.arguments(flag)) // there is such a flag
		}
	})
	return failure
}

// apply gives the value to a flag, or the list to one that takes lists.
func (s setting) apply(flag *pflag.Flag) error {
	set := func() error { return flag.Value.Set(s.values[0]) }
	if s.list {
		takesLists, ok := flag.Value.(pflag.SliceValue)
		if !ok {
			return usageError("%s: --%s takes one value, and a list stands here", s.place, flag.Name)
		}
		set = func() error { return takesLists.Replace(s.values) }
	}
	if err := set(); err != nil {
		return usageError("%s: invalid value %q for --%s: %w", s.place, strings.Join(s.values, ", "), flag.Name, err)
	}
	return nil
}

// canBeSet leaves out what makes no sense as a setting.
func canBeSet(flag *pflag.Flag) bool { return flag.Name != "help" && flag.Name != configFlag }

// sectionOf is the name of a command in files: "serve", "kb-build".
func sectionOf(cmd *cobra.Command) string {
	_, path, _ := strings.Cut(cmd.CommandPath(), " ")
	return strings.ReplaceAll(path, " ", "-")
}

// fromEnvironment looks for a variable of the command, then for the general one.
func fromEnvironment(section, flag string) (setting, bool) {
	for _, name := range []string{section + "-" + flag, flag} {
		name = variablePrefix + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
		if value, ok := os.LookupEnv(name); ok {
			return setting{values: []string{value}, place: "$" + name}, true
		}
	}
	return setting{}, false
}

// settings are those of a file: by flag, and by section and flag with a slash.
type settings map[string]setting

func (s settings) find(section, flag string) (setting, bool) {
	if found, ok := s[section+"/"+flag]; ok {
		return found, true
	}
	found, ok := s[flag]
	return found, ok
}

// readSettings reads the configuration file. Only one that was not named may be absent.
func readSettings(root *cobra.Command) (settings, error) {
	path, named := settingsFile(root)
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && !named {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(content, &document); err != nil {
		return nil, usageError("%s: %w", path, err)
	}
	found := settings{}
	if len(document.Content) == 0 {
		return found, nil // an empty file
	}
	return found, found.read(path, document.Content[0], flagsOf(root))
}

// settingsFile is the path of the configuration file, and whether somebody named it.
func settingsFile(root *cobra.Command) (path string, named bool) {
	if path = root.PersistentFlags().Lookup(configFlag).Value.String(); path != "" {
		return path, true
	}
	if path = os.Getenv(configVariable); path != "" {
		return path, true
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", false
	}
	return filepath.Join(dir, "keci", "config.yaml"), false
}

// flagsOf gives the names of the flags of every command by its section; those of
// all together have an empty one.
func flagsOf(root *cobra.Command) map[string]map[string]bool {
	known := map[string]map[string]bool{"": {}}
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		section := sectionOf(cmd)
		known[section] = map[string]bool{}
		add := func(flag *pflag.Flag) {
			if canBeSet(flag) {
				known[section][flag.Name], known[""][flag.Name] = true, true
			}
		}
		cmd.LocalFlags().VisitAll(add)
		cmd.InheritedFlags().VisitAll(add)
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	for _, cmd := range root.Commands() {
		walk(cmd)
	}
	return known
}

// read takes the settings of a mapping of YAML.
func (s settings) read(path string, mapping *yaml.Node, known map[string]map[string]bool) error {
	if mapping.Kind != yaml.MappingNode {
		return usageError("%s:%d: names of flags with their values must stand here", path, mapping.Line)
	}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		key, value := mapping.Content[i], mapping.Content[i+1]
		place := fmt.Sprintf("%s:%d", path, key.Line)
		var err error
		if value.Kind == yaml.MappingNode {
			err = s.readSection(path, key, value, known)
		} else {
			err = s.add(place, "", key.Value, value, known[""])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s settings) readSection(path string, name, mapping *yaml.Node, known map[string]map[string]bool) error {
	flags, ok := known[name.Value]
	if !ok || name.Value == "" {
		return usageError("%s:%d: there is no command %q", path, name.Line, name.Value)
	}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		key := mapping.Content[i]
		if err := s.add(fmt.Sprintf("%s:%d", path, key.Line), name.Value+"/", key.Value, mapping.Content[i+1], flags); err != nil {
			return err
		}
	}
	return nil
}

func (s settings) add(place, section, flag string, value *yaml.Node, known map[string]bool) error {
	if !known[flag] {
		return usageError("%s: there is no flag %q", place, section+flag)
	}
	if value.ShortTag() == "!!null" { // nothing, null or ~: the flag is left as it is
		return nil
	}
	if before, ok := s[section+flag]; ok {
		return usageError("%s: %s stands here, and in %s as well", place, section+flag, before.place)
	}
	values, list, err := scalars(value)
	if err != nil {
		return usageError("%s: %s: %w", place, flag, err)
	}
	s[section+flag] = setting{values, list, place}
	return nil
}

// scalars is a plain value, or the items of a list.
func scalars(value *yaml.Node) (values []string, list bool, err error) {
	switch value.Kind {
	case yaml.ScalarNode:
		return []string{value.Value}, false, nil
	case yaml.SequenceNode:
		for _, item := range value.Content {
			if item.Kind != yaml.ScalarNode || item.ShortTag() == "!!null" {
				return nil, true, errors.New("the items of a list must be plain values")
			}
			values = append(values, item.Value)
		}
		return values, true, nil
	}
	return nil, false, errors.New("the value must be plain, or a list of plain values")
}
