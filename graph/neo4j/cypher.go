package neo4j

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/format"
)

// NewCypherWriter writes documents as statements of Cypher, each ended by a
// semicolon and a line feed, that cypher-shell runs against a database in the
// schema of this package. They need no parameters: every string is a literal. A
// document takes the place of one with its id, and the database holds afterwards
// what SaveDocument would have written, the relationships EXTRACTED included; only
// concepts that the release there has retired are not followed to their
// successors. What was never stored is submitted when the statements are run.
func NewCypherWriter(out io.Writer) format.Writer { return &cypherWriter{out: out} }

type cypherWriter struct {
	out   io.Writer
	begun bool
}

// cypherConstraints are those that documents need; without them every MERGE
// would look through all nodes.
func cypherConstraints() string {
	var b strings.Builder
	for _, c := range constraints {
		if strings.Contains(c, ":Concept)") || strings.Contains(c, ":Document)") {
			b.WriteString(c + ";\n")
		}
	}
	return b.String()
}

func (w *cypherWriter) begin() error {
	if w.begun {
		return nil
	}
	w.begun = true
	_, err := io.WriteString(w.out, cypherConstraints())
	return err
}

// Write implements format.Writer.
func (w *cypherWriter) Write(d graph.Document) error {
	submitted := d.Submitted
	d, err := graph.Canonical(d)
	if err != nil {
		return err
	}
	if err := w.begin(); err != nil {
		return err
	}
	row := documentRow(d)
	if submitted == nil {
		row["submittedAt"] = cypherNow
	}
	id := map[string]any{"id": d.ID}
	statements := []string{
		cypherRemoval(literal(id)),
		fmt.Sprintf("MERGE (d:Document %s) SET d = %s", literal(id), literal(row)),
	}
	statements = append(statements, cypherMentions(d, literal(id))...)
	statements = append(statements, cypherRelations(d, literal(id))...)
	statements = append(statements, cypherExtracted(sortedFacts(scoresOf(d, nil)))...)
	_, err = io.WriteString(w.out, strings.Join(statements, ";\n")+";\n")
	return err
}

// Close implements format.Writer.
func (w *cypherWriter) Close() error {
	if err := w.begin(); err != nil {
		return err
	}
	_, err := io.WriteString(w.out, "MATCH (c:Unlisted) WHERE NOT (c)<-[:REFERS_TO]-() DETACH DELETE c;\n")
	return err
}

// cypherMentions makes the concepts that the release lacks, the mentions and
// their links.
func cypherMentions(d graph.Document, id string) []string {
	if len(d.Mentions) == 0 {
		return nil
	}
	named := map[graph.CUI]string{}
	var mentions, links, concepts []any
	for i, m := range d.Mentions {
		mentions = append(mentions, mentionRow(m, i))
		for j, c := range m.Concepts {
			named[c.CUI] = c.Name
			links = append(links, map[string]any{"place": i, "cui": string(c.CUI), "link": linkRow(c, firstRank(m)+j)})
		}
	}
	for _, cui := range sortedKeys(named) {
		concepts = append(concepts, map[string]any{"cui": string(cui), "name": named[cui]})
	}
	statements := []string{fmt.Sprintf(
		"UNWIND %s AS row MATCH (d:Document %s) CREATE (d)-[:HAS_MENTION]->(m:Mention) SET m = row", literal(mentions), id)}
	if len(links) > 0 {
		statements = append(statements,
			fmt.Sprintf("UNWIND %s AS row MERGE (c:Concept {cui: row.cui}) ON CREATE SET c:Unlisted, c.name = row.name", literal(concepts)),
			fmt.Sprintf("UNWIND %s AS row MATCH (:Document %s)-[:HAS_MENTION]->(m:Mention {place: row.place}) MATCH (c:Concept {cui: row.cui}) "+
				"CREATE (m)-[l:REFERS_TO]->(c) SET l = row.link", literal(links), id))
	}
	return statements
}

// cypherRelations makes the relations, those of one type together: types are part
// of the statement.
func cypherRelations(d graph.Document, id string) (statements []string) {
	places := map[string]int{}
	for i, m := range d.Mentions {
		places[m.ID] = i
	}
	byType := map[string][]any{}
	for i, r := range d.Relations {
		kind := relationshipType(r.Label)
		byType[kind] = append(byType[kind], map[string]any{
			"head": places[r.Head], "tail": places[r.Tail], "relation": extractionRow(r, i, d.Model)})
	}
	for _, kind := range sortedKeys(byType) {
		statements = append(statements, fmt.Sprintf("UNWIND %s AS row MATCH (d:Document %s) "+
			"MATCH (d)-[:HAS_MENTION]->(h:Mention {place: row.head}) MATCH (d)-[:HAS_MENTION]->(t:Mention {place: row.tail}) "+
			"CREATE (h)-[r:`%s`]->(t) SET r = row.relation", literal(byType[kind]), id, kind)) // a type holds no backtick
	}
	return statements
}

// cypherRemoval removes the mentions of a document that is there already, and
// what only it told of from the relationships EXTRACTED.
func cypherRemoval(id string) string {
	return fmt.Sprintf("MATCH (d:Document %s) "+
		"OPTIONAL MATCH (d)-[:HAS_MENTION]->(h:Mention)-[r]->(t:Mention), (h)-[:REFERS_TO {rank: 1}]->(a:Concept), (t)-[:REFERS_TO {rank: 1}]->(b:Concept), "+
		"(a)-[x:EXTRACTED {label: r.label, directed: r.directed}]-(b) "+
		"WITH d, collect(DISTINCT x) AS edges "+
		"WITH d, edges, [x IN edges | {head: startNode(x).cui, tail: endNode(x).cui, label: x.label, directed: x.directed}] AS facts "+
		"FOREACH (x IN edges | DELETE x) "+
		"WITH d, facts OPTIONAL MATCH (d)-[:HAS_MENTION]->(m:Mention) "+
		"WITH facts, collect(m) AS mentions FOREACH (m IN mentions | DETACH DELETE m) "+
		"WITH facts %s", id, extractedFrom("facts"))
}

// cypherExtracted writes the relationships EXTRACTED of facts anew; see
// refreshExtracted.
func cypherExtracted(all []graph.FactKey) []string {
	if len(all) == 0 {
		return nil
	}
	slices.SortFunc(all, graph.FactKey.Compare)
	var rows []any
	for _, key := range slices.Compact(all) {
		rows = append(rows, keyRow(key))
	}
	facts := literal(rows)
	return []string{
		fmt.Sprintf("UNWIND %s AS fact MATCH (:Concept {cui: fact.head})-[x:EXTRACTED {label: fact.label, directed: fact.directed}]->(:Concept {cui: fact.tail}) DELETE x", facts),
		extractedFrom(facts),
	}
}

// extractedFrom makes the relationships EXTRACTED of a list of facts, which must
// not be there, from the relations between mentions.
func extractedFrom(facts string) string {
	evidence := strings.Join(strings.Fields(evidenceQuery), " ") // on one line
	return strings.NewReplacer("$facts", facts, "RETURN fact.head AS head,", "WITH fact.head AS head,").Replace(evidence) +
		" MATCH (a:Concept {cui: head}) MATCH (b:Concept {cui: tail}) CREATE (a)-[:EXTRACTED {label: label, directed: directed, documents: documents," +
		" mentions: mentions, maxScore: maxScore, noisyOr: " + noisyOr + "}]->(b)"
}

// expression is Cypher that stands for itself.
type expression string

const cypherNow expression = "datetime()"

// literal is a value as a literal of Cypher. Of maps, the keys are sorted and null
// is left out, as the database does.
func literal(value any) string {
	switch value := value.(type) {
	case nil:
		return "null"
	case expression:
		return string(value)
	case string:
		return "'" + cypherEscapes.Replace(value) + "'"
	case []string:
		return literalList(value)
	case []any:
		return literalList(value)
	case map[string]any:
		var fields []string
		for _, key := range slices.Sorted(maps.Keys(value)) {
			if value[key] != nil {
				fields = append(fields, key+": "+literal(value[key]))
			}
		}
		return "{" + strings.Join(fields, ", ") + "}"
	case time.Time:
		return "datetime('" + value.UTC().Format(time.RFC3339Nano) + "')"
	case float64:
		text := strconv.FormatFloat(value, 'g', -1, 64)
		if !strings.ContainsAny(text, ".e") {
			text += ".0" // without it, it is an integer
		}
		return text
	}
	return fmt.Sprint(value) // numbers and truth values
}

func literalList[T any](values []T) string {
	items := make([]string, len(values))
	for i, v := range values {
		items[i] = literal(v)
	}
	return "[" + strings.Join(items, ", ") + "]"
}

// cypherEscapes are those of string literals. A semicolon at the end of a line
// would end the statement in cypher-shell, and it reads comments in strings; so
// line ends, slashes and semicolons are escaped too.
var cypherEscapes = strings.NewReplacer(`\`, `\\`, `'`, `\'`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`,
	"\u2028", `\u2028`, "\u2029", `\u2029`, "\u0085", `\u0085`, ";", `\u003B`, "/", `\u002F`)
