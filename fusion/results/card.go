package results

import (
	"bytes"
	_ "embed"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"
)

// Card is what the card of a model tells.
type Card struct {
	Training
	Name                               string
	Method                             string // the system in a phrase: "the KECI model (…)"
	Reach                              string // how far apart the ends of a relation may be: "within a sentence"; empty: anywhere in a text
	Unit                               string // what it learned from: "sentences"
	Parameters                         int
	EntityThreshold, RelationThreshold float64
}

// CardFile is the card's name in a model directory.
const CardFile = "README.md"

//go:embed card.md.tmpl
var cardText string

var card = template.Must(template.New(CardFile).Funcs(template.FuncMap{
	"millions": millions,
	"counts":   describeCounts,
	"rare":     describeRare,
}).Parse(cardText))

// WriteCard writes the card into the model directory.
func WriteCard(dir string, c Card) error {
	var text bytes.Buffer
	if err := card.Execute(&text, c); err != nil {
		return fmt.Errorf("write the model card: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, CardFile), text.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write the model card: %w", err)
	}
	return nil
}

func millions(n int) string { return fmt.Sprintf("%.1f M", float64(n)/1e6) }

// describeCounts lists labels with how often they occur, the most common first.
func describeCounts(counts map[string]int) string {
	labels := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		if counts[a] != counts[b] {
			return counts[b] - counts[a]
		}
		return strings.Compare(a, b)
	})
	for i, label := range labels {
		labels[i] = fmt.Sprintf("%s (%d)", label, counts[label])
	}
	if len(labels) == 0 {
		return "none"
	}
	return strings.Join(labels, ", ")
}

// fewExamples is when a label is called rare.
const fewExamples = 20

// describeRare lists the labels with fewer than fewExamples examples.
func describeRare(types, labels map[string]int) string {
	var rare []string
	for _, counts := range []map[string]int{types, labels} {
		for _, label := range slices.Sorted(maps.Keys(counts)) {
			if counts[label] < fewExamples {
				rare = append(rare, label)
			}
		}
	}
	return strings.Join(rare, ", ")
}
