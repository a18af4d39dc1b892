package neo4j

import (
	"slices"
	"strings"
	"time"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"github.com/keci-kg/keci/graph"
)

// getter is a record or a map of properties. What is absent, or null, gives the
// zero value.
type getter interface{ Get(key string) (any, bool) }

type properties map[string]any

func (p properties) Get(key string) (any, bool) { value, ok := p[key]; return value, ok }

// fieldList is a list of values that have their names by their place.
type fieldList struct {
	names  []string
	values []any
}

func (f fieldList) Get(key string) (any, bool) {
	place := slices.Index(f.names, key)
	if place < 0 || place >= len(f.values) {
		return nil, false
	}
	return f.values[place], true
}

func valueOf[T any](from getter, key string) T {
	value, _ := from.Get(key)
	typed, _ := value.(T)
	return typed
}

func stringOf(from getter, key string) string { return valueOf[string](from, key) }

func intOf(from getter, key string) int { return int(valueOf[int64](from, key)) }

// floatPointer is nil for what is absent.
func floatPointer(from getter, key string) *float64 {
	value, _ := from.Get(key)
	number, ok := value.(float64)
	if !ok {
		return nil
	}
	return &number
}

func stringsOf(from getter, key string) []string { return idsOf[string](from, key) }

// idsOf is nil for what is absent.
func idsOf[ID ~string](from getter, key string) []ID {
	values := valueOf[[]any](from, key)
	if len(values) == 0 {
		return nil
	}
	ids := make([]ID, len(values))
	for i, value := range values {
		text, _ := value.(string)
		ids[i] = ID(text)
	}
	return ids
}

// nodesOf reads a list of nodes by their properties.
func nodesOf[T any](from getter, key string, read func(getter) T) []T {
	values := valueOf[[]any](from, key)
	nodes := make([]T, 0, len(values))
	for _, value := range values {
		if node, ok := value.(driver.Node); ok {
			nodes = append(nodes, read(properties(node.Props)))
		}
	}
	return nodes
}

// mapsOf reads a list of maps.
func mapsOf[T any](from getter, key string, read func(getter) T) []T {
	values := valueOf[[]any](from, key)
	items := make([]T, 0, len(values))
	for _, value := range values {
		if item, ok := value.(map[string]any); ok {
			items = append(items, read(properties(item)))
		}
	}
	return items
}

// listsOf reads a list of lists whose items have the given names.
func listsOf[T any](from getter, key string, names []string, read func(getter) T) []T {
	values := valueOf[[]any](from, key)
	items := make([]T, 0, len(values))
	for _, value := range values {
		if fields, ok := value.([]any); ok {
			items = append(items, read(fieldList{names, fields}))
		}
	}
	return items
}

// orNil makes null, which Neo4j does not store, of an empty value.
func orNil[T comparable](value T) any {
	var zero T
	if value == zero {
		return nil
	}
	return value
}

func listOrNil[S ~string](list []S) any {
	if len(list) == 0 {
		return nil
	}
	return plain(list)
}

// plain is a list of bare strings, which is what the driver sends.
func plain[S ~string](list []S) []string {
	bare := make([]string, len(list))
	for i, s := range list {
		bare[i] = string(s)
	}
	return bare
}

func conceptRow(c graph.Concept) map[string]any {
	return map[string]any{
		"cui": string(c.CUI), "name": c.Name, "synonyms": listOrNil(c.Synonyms), "semanticTypes": listOrNil(c.SemanticTypes),
		"definition": orNil(c.Definition), "sources": listOrNil(c.Sources), "codes": listOrNil(codeTexts(c.Codes)),
	}
}

func readConcept(from getter) graph.Concept {
	c := graph.Concept{
		CUI: graph.CUI(stringOf(from, "cui")), Name: stringOf(from, "name"), Synonyms: stringsOf(from, "synonyms"),
		SemanticTypes: idsOf[graph.TUI](from, "semanticTypes"), Definition: stringOf(from, "definition"), Sources: stringsOf(from, "sources"),
		Codes: codesOf(from, "codes"),
	}
	if c.SemanticTypes == nil {
		c.SemanticTypes = []graph.TUI{}
	}
	return c
}

// codeSeparator stands between the source, which has none, and the code.
const codeSeparator = ":"

func codeTexts(codes []graph.Code) []string {
	texts := make([]string, len(codes))
	for i, code := range codes {
		texts[i] = code.Source + codeSeparator + code.Code
	}
	return texts
}

func codesOf(from getter, key string) (codes []graph.Code) {
	for _, text := range stringsOf(from, key) {
		source, code, _ := strings.Cut(text, codeSeparator)
		codes = append(codes, graph.Code{Source: source, Code: code})
	}
	return codes
}

func semanticTypeRow(t graph.SemanticType) map[string]any {
	return map[string]any{
		"tui": string(t.TUI), "abbreviation": orNil(t.Abbreviation), "name": t.Name, "group": orNil(t.Group),
		"treeNumber": orNil(t.TreeNumber), "definition": orNil(t.Definition),
	}
}

func readSemanticType(from getter) graph.SemanticType {
	return graph.SemanticType{
		TUI: graph.TUI(stringOf(from, "tui")), Abbreviation: stringOf(from, "abbreviation"), Name: stringOf(from, "name"),
		Group: stringOf(from, "group"), TreeNumber: stringOf(from, "treeNumber"), Definition: stringOf(from, "definition"),
	}
}

func relationRow(r graph.Relation) map[string]any {
	return map[string]any{
		"head": string(r.Head), "tail": string(r.Tail), "type": relationshipType(r.Label), "label": r.Label,
		"rel": orNil(r.Rel), "sources": listOrNil(r.Sources),
	}
}

func readRelation(from getter) graph.Relation {
	return graph.Relation{
		Head: graph.CUI(stringOf(from, "head")), Label: stringOf(from, "label"), Tail: graph.CUI(stringOf(from, "tail")),
		Rel: stringOf(from, "rel"), Sources: stringsOf(from, "sources"),
	}
}

func typeRelationRow(r graph.TypeRelation) map[string]any {
	return map[string]any{"head": string(r.Head), "tail": string(r.Tail), "type": relationshipType(r.Label), "label": r.Label}
}

func readTypeRelation(from getter) graph.TypeRelation {
	return graph.TypeRelation{Head: graph.TUI(stringOf(from, "head")), Label: stringOf(from, "label"), Tail: graph.TUI(stringOf(from, "tail"))}
}

func timeOf(from getter, key string) *time.Time {
	value, _ := from.Get(key)
	at, ok := value.(time.Time)
	if !ok {
		return nil
	}
	at = at.UTC()
	return &at
}
