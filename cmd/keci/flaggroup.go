package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// flagGroup is the annotation of a flag that only some variants have: their names.
const flagGroup = "variants"

// groupFlags makes f the flags of the given variants.
func groupFlags(f *pflag.FlagSet, variants []string) {
	f.VisitAll(func(flag *pflag.Flag) { flag.Annotations = map[string][]string{flagGroup: variants} })
}

// tellGroups makes the help of all commands tell the flags of each group under a
// heading of its own, after those that are of no group.
func tellGroups(root *cobra.Command) {
	cobra.AddTemplateFunc("groupedUsages", groupedUsages)
	root.SetUsageTemplate(strings.Replace(root.UsageTemplate(), ".LocalFlags.FlagUsages", "groupedUsages .LocalFlags", 1))
}

// groupedUsages tells what each flag is for.
func groupedUsages(flags *pflag.FlagSet) string {
	common := pflag.NewFlagSet("common", pflag.ContinueOnError)
	groups := map[string]*pflag.FlagSet{}
	var headings []string
	flags.VisitAll(func(flag *pflag.Flag) {
		variants := flag.Annotations[flagGroup]
		if variants == nil {
			common.AddFlag(flag)
			return
		}
		heading := strings.Join(variants, ", ")
		if groups[heading] == nil {
			groups[heading] = pflag.NewFlagSet(heading, pflag.ContinueOnError)
			headings = append(headings, heading)
		}
		groups[heading].AddFlag(flag)
	})
	var b strings.Builder
	b.WriteString(common.FlagUsages())
	slices.Sort(headings)
	for _, heading := range headings {
		b.WriteString("\nFlags of " + heading + ":\n" + groups[heading].FlagUsages())
	}
	return b.String()
}

// nameGroups writes before what a flag is for which variants have it, where flags are
// not told in groups.
func nameGroups(cmd *cobra.Command) {
	cmd.LocalFlags().VisitAll(func(flag *pflag.Flag) {
		if variants := flag.Annotations[flagGroup]; variants != nil {
			flag.Usage = strings.Join(variants, ", ") + ": " + flag.Usage
		}
	})
	for _, sub := range cmd.Commands() {
		nameGroups(sub)
	}
}
