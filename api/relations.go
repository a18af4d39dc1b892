package api

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/format"
	"github.com/keci-kg/keci/linker/quote"
)

func (s *Server) routeRelations(operations huma.API) {
	extracted := func(id, path, summary, description string, errors ...int) huma.Operation {
		return s.operation(mayRead, huma.Operation{OperationID: id, Method: http.MethodGet, Path: path, Summary: summary,
			Description: description, Tags: []string{"extracted"}, Errors: errors})
	}
	registerList(operations, extracted("list-relations", "/v1/relations", "What the stored documents say, over all of them",
		"Concept, label, concept: with how many documents and relations in them say so, the highest score and the probability that one of them holds. "+
			"An id that neither the knowledge base nor a document has is 404. "+
			"A mention stands for the first of its concepts, unless that is the name of a part of it only (variant: part).", http.StatusNotFound), relationTable, s.listRelations)
	huma.Register(operations, extracted("get-relation", "/v1/relations/{id}", "One thing that the stored documents say", "", http.StatusNotFound), s.getRelation)
	registerList(operations, extracted("relation-evidence", "/v1/relations/{id}/evidence", "The sentences that say it",
		"The highest score first.", http.StatusNotFound), evidenceTable, s.relationEvidence)
	registerList(operations, extracted("list-seen-concepts", "/v1/concepts/seen", "The concepts that the stored documents name",
		"A mention stands for the first of its concepts, unless that is the name of a part of it only (variant: part)."), seenTable, s.listSeenConcepts)
	registerList(operations, extracted("list-paths", "/v1/paths", "How the stored documents join two concepts",
		"The shortest ways from one to the other over what the documents say, whatever its direction; the best first. "+
			"An id that neither the knowledge base nor a document has is 404.", http.StatusNotFound), pathTable, s.listPaths)
}

// FilterInput bounds what counts of what was extracted.
type FilterInput struct {
	Type         string    `query:"type" maxLength:"200" doc:"Entity type of a mention, at either end of a relation."`
	SemanticType graph.TUI `query:"semanticType" maxLength:"20" doc:"Semantic type of a concept, at either end of a relation, such as T116."`
	MinScore     float64   `query:"minScore" minimum:"0" maximum:"1" doc:"The least score of what counts."`
	Document     string    `query:"document" maxLength:"512" doc:"Id of a document: only what this one says."`
	Source       string    `query:"source" maxLength:"200" doc:"What the ids of documents have before the first colon, such as PMID: only what these say."`
	Since        Moment    `query:"since" doc:"Only documents submitted at this time, or on this day, or later: 2026-01-31T12:00:00Z or 2026-01-31, which begins at midnight UTC."`
	Before       Moment    `query:"before" doc:"Only documents submitted before this time or day."`
}

// Resolve implements huma.Resolver: NaN is no score, though neither less than 0 nor more than 1.
func (in *FilterInput) Resolve(huma.Context) []error {
	if math.IsNaN(in.MinScore) {
		return []error{&huma.ErrorDetail{Location: "query.minScore", Message: "expected a number from 0 to 1", Value: "NaN"}}
	}
	return nil
}

func (in FilterInput) filter() graph.Filter {
	return graph.Filter{Type: in.Type, SemanticType: in.SemanticType, MinScore: in.MinScore,
		Document: in.Document, Source: in.Source, From: in.Since.Time, To: in.Before.Time}
}

// Moment is a time or a day as clients write it (see graph.ParseTime).
type Moment struct{ time.Time }

// UnmarshalText implements encoding.TextUnmarshaler.
func (m *Moment) UnmarshalText(text []byte) (err error) {
	m.Time, err = graph.ParseTime(string(text))
	return err
}

// Schema implements huma.SchemaProvider.
func (Moment) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Pattern: `^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt].+)?$`}
}

// EvidenceCountInput asks for sentences beside relations.
type EvidenceCountInput struct {
	Evidence int `query:"evidence" minimum:"0" maximum:"5" default:"0" doc:"How many sentences to tell with each relation, the best first; in json and jsonl."`
}

func (in EvidenceCountInput) checkForm(form string) error {
	if in.Evidence > 0 && (form == "csv" || form == "graphml") {
		return newProblem(http.StatusUnprocessableEntity, "evidence", "%s has no place for sentences: ask for json or jsonl, or leave evidence out", form)
	}
	return nil
}

// extractedRelation is a fact as the interface tells it.
type extractedRelation struct {
	graph.Fact
	Evidence []quote.Evidence `json:"evidence,omitempty" doc:"Sentences that say it, when asked for."`
}

type relationsInput struct {
	ListInput
	FilterInput
	EvidenceCountInput
	Query   string      `query:"q" maxLength:"500" doc:"Words of a name, or its beginning, at either end: of one of the 100 concepts that a search for them finds first."`
	Concept graph.CUI   `query:"concept" maxLength:"200" doc:"A concept at either end."`
	Other   graph.CUI   `query:"other" maxLength:"200" doc:"With concept or q: the concept at the other end."`
	Label   string      `query:"label" maxLength:"200" doc:"The label of the relation."`
	Order   graph.Order `query:"order" enum:"score,documents,concept" default:"score" doc:"What comes first: the most probable, what most documents say, or the least ids of concepts."`
}

// namedConcepts is how many concepts words stand for.
const namedConcepts = 100

// ends sets in query what the ends of a relation shall be. some reports whether any
// relation can have such ends.
func (s *Server) ends(ctx context.Context, in *relationsInput, query *graph.FactQuery) (some bool, err error) {
	switch {
	case in.Query != "" && in.Concept != "":
		return false, newProblem(http.StatusUnprocessableEntity, "q", "send q or concept, not both; other goes with either")
	case in.Query != "":
		found, err := s.Store.Search(ctx, in.Query, namedConcepts)
		for _, concept := range found {
			query.Concepts = append(query.Concepts, concept.CUI)
		}
		query.Other = in.Other
		return len(found) > 0, err
	case in.Concept != "":
		query.Concepts, query.Other = []graph.CUI{in.Concept}, in.Other
	case in.Other != "":
		query.Concepts = []graph.CUI{in.Other}
	}
	return true, nil
}

func (s *Server) listRelations(ctx context.Context, in *relationsInput) (page list[extractedRelation], err error) {
	query := graph.FactQuery{Filter: in.filter(), Label: in.Label, Order: in.Order, Limit: in.Limit + 1}
	if query.After, err = readCursor[graph.Cursor](in.After); err != nil {
		return page, err
	}
	some, err := s.ends(ctx, in, &query)
	if err != nil {
		return page, s.failed(ctx, err)
	}
	if !some {
		return page, nil
	}
	facts, err := s.Store.Facts(ctx, query)
	if err != nil {
		return page, s.failed(ctx, err)
	}
	if len(facts) == 0 {
		again, err := s.knownAs(ctx, idParam{"concept", &in.Concept}, idParam{"other", &in.Other})
		if err != nil {
			return page, s.failed(ctx, err)
		}
		if again {
			return s.listRelations(ctx, in)
		}
	}
	if len(facts) > in.Limit {
		facts = facts[:in.Limit]
		page.next = writeCursor(in.Order.CursorOf(facts[in.Limit-1]))
	}
	page.items, err = s.withEvidence(ctx, facts, in.filter(), in.Evidence)
	if err != nil {
		return page, s.failed(ctx, err)
	}
	return page, nil
}

// idParam is the id of a concept that was sent as a parameter, or empty.
type idParam struct {
	name string
	id   *graph.CUI
}

// knownAs puts in the place of ids, which gave an empty list, those that the knowledge base or
// a document has, and reports whether any is another. The error names an id that nobody has,
// such as a typing error or a name.
func (s *Server) knownAs(ctx context.Context, params ...idParam) (another bool, err error) {
	for _, param := range params {
		if *param.id == "" {
			continue
		}
		known, err := graph.KnownIDs([]graph.CUI{*param.id}, func(cui graph.CUI) error { return graph.CheckConcept(ctx, s.Store, cui) })
		if err != nil {
			return false, unknownConcept(param.name, err)
		}
		another = another || known[0] != *param.id
		*param.id = known[0]
	}
	return another, nil
}

// unknownConcept is the problem for an id, sent as the parameter name, that is not found.
func unknownConcept(name string, err error) error {
	if errors.Is(err, graph.ErrNotFound) {
		return newProblem(http.StatusNotFound, name, "%v; GET /v1/concepts?q=… finds the ids of concepts by name", err)
	}
	return err
}

// withEvidence adds to each fact at most count sentences that say it.
func (s *Server) withEvidence(ctx context.Context, facts []graph.Fact, filter graph.Filter, count int) ([]extractedRelation, error) {
	relations := make([]extractedRelation, len(facts))
	for i, fact := range facts {
		relations[i].Fact = fact
		if count == 0 {
			continue
		}
		found, err := s.Store.Evidence(ctx, graph.EvidenceQuery{Filter: filter, Key: fact.Key(), Limit: count})
		if err != nil {
			return nil, err
		}
		if relations[i].Evidence, err = quote.All(found); err != nil {
			return nil, err
		}
	}
	return relations, nil
}

// RelationInput is the part of a request that names a relation.
type RelationInput struct {
	ID string `path:"id" maxLength:"2000" doc:"The id of the relation, as lists of relations have it." example:"C0039246:bind:C0085149"`
}

func (in RelationInput) key() (graph.FactKey, error) {
	key, err := graph.ParseFactKey(in.ID)
	if err != nil {
		return key, newProblem(http.StatusNotFound, "id", "%v", err)
	}
	return key, nil
}

type relationOutput struct {
	Body extractedRelation
}

func (s *Server) getRelation(ctx context.Context, in *RelationInput) (*relationOutput, error) {
	key, err := in.key()
	if err != nil {
		return nil, err
	}
	fact, err := graph.FactWith(ctx, s.Store, key)
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	return &relationOutput{extractedRelation{Fact: fact}}, nil
}

type evidenceInput struct {
	ListInput
	FilterInput
	RelationInput
}

func (s *Server) relationEvidence(ctx context.Context, in *evidenceInput) (page list[quote.Evidence], err error) {
	query := graph.EvidenceQuery{Filter: in.filter(), Limit: in.Limit + 1}
	if query.Key, err = in.key(); err != nil {
		return page, err
	}
	if query.After, err = readCursor[graph.EvidenceCursor](in.After); err != nil {
		return page, err
	}
	found, err := graph.EvidenceOf(ctx, s.Store, query)
	if err != nil {
		return page, s.failed(ctx, err)
	}
	if len(found) > in.Limit {
		found = found[:in.Limit]
		page.next = writeCursor(found[in.Limit-1].Cursor())
	}
	if page.items, err = quote.All(found); err != nil {
		return page, s.failed(ctx, err)
	}
	return page, nil
}

type seenInput struct {
	ListInput
	FilterInput
	Order graph.Order `query:"order" enum:"documents,concept" default:"documents" doc:"What comes first: what most documents name, or the least ids."`
}

func (s *Server) listSeenConcepts(ctx context.Context, in *seenInput) (page list[graph.SeenConcept], err error) {
	query := graph.SeenQuery{Filter: in.filter(), Order: in.Order, Limit: in.Limit + 1}
	if query.After, err = readCursor[graph.SeenCursor](in.After); err != nil {
		return page, err
	}
	if page.items, err = s.Store.SeenConcepts(ctx, query); err != nil {
		return page, s.failed(ctx, err)
	}
	if len(page.items) > in.Limit {
		page.items = page.items[:in.Limit]
		page.next = writeCursor(in.Order.SeenCursorOf(page.items[in.Limit-1]))
	}
	return page, nil
}

type pathsInput struct {
	ListFormInput
	FilterInput
	EvidenceCountInput
	From     graph.CUI `query:"from" required:"true" minLength:"1" maxLength:"200" doc:"Where the paths begin."`
	To       graph.CUI `query:"to" required:"true" minLength:"1" maxLength:"200" doc:"Where they end."`
	Label    string    `query:"label" maxLength:"200" doc:"The label of all steps."`
	MaxSteps int       `query:"maxSteps" minimum:"1" maximum:"6" default:"4" doc:"The longest path that is looked for."`
	Limit    int       `query:"limit" minimum:"1" maximum:"100" default:"10" doc:"The most that is listed."`
}

// path is graph.Path with the sentences of its steps.
type path struct {
	Concepts []graph.ConceptName `json:"concepts"`
	Steps    []step              `json:"steps" doc:"What joins each concept to the next: one fewer than concepts."`
	Score    float64             `json:"score" doc:"The product of the best probability of each step."`
}

type step struct {
	Relations []extractedRelation `json:"relations" doc:"All that joins the two, the best first."`
}

func (s *Server) listPaths(ctx context.Context, in *pathsInput) (page list[path], err error) {
	ends := []idParam{{"from", &in.From}, {"to", &in.To}}
	if in.From == in.To {
		_, err := s.knownAs(ctx, ends[0])
		if err != nil {
			return page, s.failed(ctx, err)
		}
		return page, nil
	}
	found, err := graph.Paths(ctx, s.Store, graph.PathQuery{Filter: in.filter(), From: in.From, To: in.To,
		Label: in.Label, MaxSteps: in.MaxSteps, Limit: in.Limit})
	if err != nil {
		return page, s.failed(ctx, err)
	}
	if len(found) == 0 {
		again, err := s.knownAs(ctx, ends...)
		if err != nil {
			return page, s.failed(ctx, err)
		}
		if again {
			return s.listPaths(ctx, in)
		}
	}
	for _, p := range found {
		told := path{Concepts: p.Concepts, Score: p.Score}
		for _, st := range p.Steps {
			relations, err := s.withEvidence(ctx, st.Facts, in.filter(), in.Evidence)
			if err != nil {
				return page, s.failed(ctx, err)
			}
			told.Steps = append(told.Steps, step{relations})
		}
		page.items = append(page.items, told)
	}
	return page, nil
}

// The tables of the lists, for those who take them as CSV.
var (
	relationTable = table[extractedRelation]{
		name:   "relations",
		header: []string{"id", "head", "headName", "label", "directed", "tail", "tailName", "documents", "mentions", "maxScore", "noisyOr"},
		rows:   func(r extractedRelation) [][]string { return [][]string{factRow(r.Fact)} },
		join:   func(network *format.Network, r extractedRelation) { network.AddFact(r.Fact) },
	}
	evidenceTable = table[quote.Evidence]{
		name:   "evidence",
		header: []string{"document", "relation", "head", "headType", "label", "directed", "tail", "tailType", "score", "sentence"},
		rows: func(e quote.Evidence) [][]string {
			return [][]string{{e.DocumentID, e.Relation.ID, e.Head.Text, e.Head.Type, e.Relation.Label, strconv.FormatBool(e.Relation.Directed),
				e.Tail.Text, e.Tail.Type, number(e.Relation.Score), e.Sentence}}
		},
		join: func(network *format.Network, e quote.Evidence) { network.AddFact(factOf(e)) },
	}
	seenTable = table[graph.SeenConcept]{
		name:   "concepts",
		header: []string{"cui", "name", "documents", "mentions"},
		rows: func(c graph.SeenConcept) [][]string {
			return [][]string{{string(c.CUI), c.Name, strconv.Itoa(c.Documents), strconv.Itoa(c.Mentions)}}
		},
		join: (*format.Network).AddConcept,
	}
	pathTable = table[path]{
		name:   "paths",
		header: append([]string{"from", "to", "score", "step"}, relationTable.header...),
		rows: func(p path) (rows [][]string) {
			for i, st := range p.Steps {
				for _, r := range st.Relations {
					rows = append(rows, append([]string{string(p.Concepts[0].CUI), string(p.Concepts[len(p.Concepts)-1].CUI),
						number(p.Score), strconv.Itoa(i + 1)}, factRow(r.Fact)...))
				}
			}
			return rows
		},
		join: func(network *format.Network, p path) {
			for _, st := range p.Steps {
				for _, r := range st.Relations {
					network.AddFact(r.Fact)
				}
			}
		},
	}
)

// factOf is what a single relation tells.
func factOf(e quote.Evidence) graph.Fact {
	concept := func(m graph.Mention) graph.ConceptName {
		best := m.Denoted()[0] // a mention that stands for no concept has no part in evidence
		return graph.ConceptName{CUI: best.CUI, Name: best.Name, SemanticTypes: best.SemanticTypes}
	}
	return graph.Fact{ID: e.DocumentID + "/" + e.Relation.ID, Head: concept(e.Head), Label: e.Relation.Label, Tail: concept(e.Tail),
		Directed: e.Relation.Directed, Documents: 1, Mentions: 1, MaxScore: e.Relation.Score, NoisyOr: e.Relation.Score}
}

func factRow(f graph.Fact) []string {
	return []string{f.ID, string(f.Head.CUI), f.Head.Name, f.Label, strconv.FormatBool(f.Directed), string(f.Tail.CUI), f.Tail.Name,
		strconv.Itoa(f.Documents), strconv.Itoa(f.Mentions), number(f.MaxScore), number(f.NoisyOr)}
}

func number(value float64) string { return strconv.FormatFloat(value, 'g', -1, 64) }
