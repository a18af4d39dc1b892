package knowledgebase

import (
	"cmp"
	_ "embed"
	"io"
	"strings"
	"text/template"

	"github.com/keci-kg/keci/graph"
)

//go:embed attribution.tmpl
var attributionText string

var attributionTemplate = template.Must(template.New("attribution").Funcs(template.FuncMap{
	"licence": func(s graph.SourceInfo) string { return strings.TrimPrefix(s.Licence, "Licence: ") },
	"credit": func(s graph.SourceInfo) string {
		credit, _, _ := strings.Cut(s.Attribution, " Licence: ") // the licence has a column of its own
		return credit
	},
	"cell": func(s string) string { return cmp.Or(strings.ReplaceAll(s, "|", `\|`), "–") },
}).Parse(attributionText))

// attribution is what the template is filled with.
type attribution struct {
	*Facts
	Concepts map[string]int // by source
	Names    int
}

// WriteAttribution writes, as Markdown, where the facts come from, under which
// licences, and what was changed.
func (f *Facts) WriteAttribution(to io.Writer) error {
	a := attribution{Facts: f, Concepts: map[string]int{}}
	for _, c := range f.ConceptFacts {
		a.Names += 1 + len(c.Synonyms)
		for _, s := range c.Sources {
			a.Concepts[s]++
		}
	}
	return attributionTemplate.Execute(to, a)
}
