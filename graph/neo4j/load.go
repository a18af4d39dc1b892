package neo4j

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"time"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"github.com/keci-kg/keci/graph"
)

// LoadOptions are the choices of a load.
type LoadOptions struct {
	BatchRows int // rows of a transaction; 0: 10,000

	// Progress, if not nil, is told after each batch what is being written and
	// how many of all rows are there, those of an earlier load included.
	Progress func(step string, done, total int)
}

const defaultBatchRows = 10_000

// Load writes a release into the database. One that is there already is not
// written again: loaded is false. A load that was cut off goes on after the last
// batch that arrived. Batches that fail for a passing reason, or with the
// connection, are tried again for two minutes. A database holds one release:
// another one is an error.
//
// Concepts that documents named before the release was there become concepts of
// the release. There should be one load at a time.
func (s *Store) Load(ctx context.Context, release graph.Release, options LoadOptions) (loaded bool, err error) {
	info, err := release.Info(ctx)
	if err != nil {
		return false, err
	}
	l := &load{Store: s, info: info, options: options}
	if l.options.BatchRows <= 0 {
		l.options.BatchRows = defaultBatchRows
	}
	complete, err := l.begin(ctx)
	if err != nil || complete {
		return false, s.explain(err, "loading %s", info.Name)
	}
	for i, stage := range stagesOf(release) {
		if err := l.write(ctx, i, stage); err != nil {
			return false, s.explain(err, "loading %s: %s", info.Name, stage.name)
		}
	}
	if err := l.finish(ctx); err != nil {
		return false, s.explain(err, "loading %s", info.Name)
	}
	return true, nil
}

// stage is one kind of row with the statement that writes a list of them.
type stage struct {
	name      string
	statement string
	rows      func(context.Context) iter.Seq2[map[string]any, error]
}

// stagesOf are the stages of a load, in order: relationships come after both of
// their ends. The statements change nothing when they are run again.
func stagesOf(release graph.Release) []stage {
	types, typeRelations := release.Network()
	return []stage{
		{"semantic types", `
			UNWIND $rows AS row
			MERGE (t:SemanticType {tui: row.tui})
			SET t = row`,
			func(context.Context) iter.Seq2[map[string]any, error] {
				return rowsOf(listed(types), semanticTypeRow)
			}},
		{"relations of semantic types", `
			UNWIND $rows AS row
			MATCH (a:SemanticType {tui: row.head})
			MATCH (b:SemanticType {tui: row.tail})
			MERGE (a)-[:$(row.type) {label: row.label}]->(b)`,
			func(context.Context) iter.Seq2[map[string]any, error] {
				return rowsOf(listed(typeRelations), typeRelationRow)
			}},
		{"concepts", `
			UNWIND $rows AS row
			MERGE (c:Concept {cui: row.cui})
			SET c = row
			REMOVE c:Unlisted
			WITH c, row
			UNWIND row.semanticTypes AS tui
			MATCH (t:SemanticType {tui: tui})
			MERGE (c)-[:HAS_TYPE]->(t)`,
			func(ctx context.Context) iter.Seq2[map[string]any, error] {
				return rowsOf(release.Concepts(ctx), conceptRow)
			}},
		{"relations", `
			UNWIND $rows AS row
			MATCH (a:Concept {cui: row.head})
			MATCH (b:Concept {cui: row.tail})
			MERGE (a)-[r:$(row.type) {label: row.label}]->(b)
			SET r.rel = row.rel, r.sources = row.sources`,
			func(ctx context.Context) iter.Seq2[map[string]any, error] {
				return rowsOf(release.Relations(ctx), relationRow)
			}},
	}
}

// stageCount is the number of stages: what the node Release says when all rows are there.
const stageCount = 4

func listed[T any](items []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, item := range items {
			if !yield(item, nil) {
				return
			}
		}
	}
}

func rowsOf[T any](items iter.Seq2[T, error], row func(T) map[string]any) iter.Seq2[map[string]any, error] {
	return func(yield func(map[string]any, error) bool) {
		for item, err := range items {
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(row(item), nil) {
				return
			}
		}
	}
}

// load is a load on its way. The node Release says how far it has come: the
// stage that is being written and how many of its rows are there. It is changed
// in the transaction that writes the rows.
type load struct {
	*Store
	info    graph.KnowledgeBaseInfo
	options LoadOptions

	stage, rows int // what was there at the beginning
	done        int // rows of all stages
}

// begin makes the node Release, or reads how far an earlier load has come.
func (l *load) begin(ctx context.Context) (complete bool, err error) {
	records, err := l.read(ctx, "MATCH (r:Release) RETURN r.name AS name, r.digest AS digest, r.complete AS complete, r.stage AS stage, r.rows AS rows", nil)
	if err != nil {
		return false, err
	}
	for _, record := range records {
		if digest := stringOf(record, "digest"); digest != l.info.Digest {
			return false, fmt.Errorf("the database holds another release, %s (%s): load this one into an empty database", stringOf(record, "name"), digest)
		}
		l.stage, l.rows = intOf(record, "stage"), intOf(record, "rows")
		complete = valueOf[bool](record, "complete")
	}
	if len(records) > 0 {
		return complete, nil
	}
	row, err := releaseRow(l.info)
	if err != nil {
		return false, err
	}
	return false, l.persist(ctx, func(tx driver.ManagedTransaction) error {
		return run(ctx, tx, "MERGE (r:Release {digest: $row.digest}) SET r = $row", map[string]any{"row": row})
	})
}

// releaseRow is the node of a release of which nothing is written yet.
func releaseRow(info graph.KnowledgeBaseInfo) (map[string]any, error) {
	text, err := json.Marshal(info)
	if err != nil {
		return nil, err
	}
	sources := make([]string, len(info.Sources))
	for i, source := range info.Sources {
		sources[i] = source.Abbreviation
	}
	return map[string]any{
		"digest": info.Digest, "name": info.Name, "sources": listOrNil(sources), "info": string(text),
		"concepts": info.Concepts, "names": info.Names, "definitions": info.Definitions, "relations": info.Relations,
		"semanticTypes": info.SemanticTypes, "typeRelations": info.TypeRelations,
		"stage": 0, "rows": 0, "complete": false,
	}, nil
}

// write writes the rows of a stage that are not there yet.
func (l *load) write(ctx context.Context, number int, stage stage) error {
	if number < l.stage {
		l.done += l.rowsOf(number)
		return nil
	}
	skip, rows := 0, 0
	if number == l.stage {
		skip = l.rows
	}
	l.done += skip
	batch := make([]map[string]any, 0, l.options.BatchRows)
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		if err := l.writeBatch(ctx, stage.statement, batch, number, rows); err != nil {
			return err
		}
		l.done += len(batch)
		batch = batch[:0]
		l.tell(stage.name)
		return nil
	}
	for row, err := range stage.rows(ctx) {
		if err != nil {
			return err
		}
		if rows++; rows <= skip {
			continue
		}
		if batch = append(batch, row); len(batch) == l.options.BatchRows {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

func (l *load) rowsOf(stage int) int {
	return []int{l.info.SemanticTypes, l.info.TypeRelations, l.info.Concepts, l.info.Relations}[stage]
}

func (l *load) tell(step string) {
	if l.options.Progress != nil {
		total := 0
		for stage := range stageCount {
			total += l.rowsOf(stage)
		}
		l.options.Progress(step, l.done, total)
	}
}

// writeBatch writes rows and how far the stage has come with them.
func (l *load) writeBatch(ctx context.Context, statement string, batch []map[string]any, stage, rows int) error {
	return l.persist(ctx, func(tx driver.ManagedTransaction) error {
		if err := run(ctx, tx, statement, map[string]any{"rows": batch}); err != nil {
			return err
		}
		return run(ctx, tx, "MATCH (r:Release {digest: $digest}) SET r.stage = $stage, r.rows = $rows",
			map[string]any{"digest": l.info.Digest, "stage": stage, "rows": rows})
	})
}

// patience is how long a batch is tried again. A server that was killed takes
// half a minute to come back; more with a large database.
const patience = 2 * time.Minute

// persist writes in one transaction and, unlike write, also tries again when the
// connection was lost during the commit, so that nobody knows what became of it:
// the statements of a load may be run twice.
func (l *load) persist(ctx context.Context, work func(tx driver.ManagedTransaction) error) error {
	deadline := time.Now().Add(patience)
	for {
		err := l.Store.write(ctx, work)
		if err == nil || !isLost(err) || time.Now().After(deadline) {
			return err
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// finish makes the indexes and declares the release complete.
func (l *load) finish(ctx context.Context) error {
	l.tell("indexes of names")
	if err := l.createIndexes(ctx); err != nil {
		return err
	}
	return l.persist(ctx, func(tx driver.ManagedTransaction) error {
		return run(ctx, tx, "MATCH (r:Release {digest: $digest}) SET r.complete = true, r.loadedAt = datetime(), r.stage = $stage, r.rows = 0",
			map[string]any{"digest": l.info.Digest, "stage": stageCount})
	})
}
