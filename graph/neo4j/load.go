package neo4j

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"github.com/keci-kg/keci/graph"
)

// LoadOptions are the choices of a load.
type LoadOptions struct {
	BatchRows int  // rows of a transaction; 0: DefaultBatchRows
	Replace   bool // put the release in the place of another one that is there

	// Patience is how long a batch is tried again that fails for a passing reason.
	// 0 is two minutes: a server that was killed takes half a minute to come back,
	// more with a large database.
	Patience time.Duration

	// Progress, if not nil, is told after each batch what is being written and
	// how many of all rows are there, those of an earlier load included. Where a
	// release takes the place of another one, rows that are the same count too.
	Progress func(step string, done, total int)
}

// DefaultBatchRows is quick, and fits into a server with a heap of 512 MB.
const DefaultBatchRows = 10_000

const defaultPatience = 2 * time.Minute

// LoadReport says what a load did.
type LoadReport struct {
	There    bool   // the release was there already: nothing was written
	Replaced bool   // another release was there: only what differs was written
	Written  Counts // of what a replacement added or changed
	Removed  Counts // of what it removed; relations that went with their concepts do not count
	Retired  int    // concepts whose retirement it brought, or told otherwise
}

// Counts are numbers of parts of a release.
type Counts struct{ Concepts, Relations, SemanticTypes, TypeRelations int }

// ErrOtherRelease is returned, wrapped, when the database holds another release
// and LoadOptions.Replace is not set.
var ErrOtherRelease = errors.New("the database holds another release")

// Load writes a release into the database. One that is there already is not
// written again. A load that was cut off goes on where it was. Batches that fail
// for a passing reason, or with the connection, are tried again.
// There should be one load at a time.
//
// A database holds one release. With LoadOptions.Replace another one takes its
// place: only what differs is written, retired concepts are marked, and what was
// extracted follows them to their successors.
//
// Concepts that documents named before the release was there become concepts of
// the release.
func (s *Store) Load(ctx context.Context, release graph.Release, options LoadOptions) (report LoadReport, err error) {
	info, err := release.Info(ctx)
	if err != nil {
		return report, err
	}
	l := &load{Store: s, release: release, info: info, options: options}
	if l.options.BatchRows <= 0 {
		l.options.BatchRows = DefaultBatchRows
	}
	if l.options.Patience <= 0 {
		l.options.Patience = defaultPatience
	}
	if err := l.all(ctx); err != nil {
		return l.report, s.explain(err, "loading %s%s", info.Name, l.at())
	}
	return l.report, nil
}

// load is a load on its way. The node Release says how far it has come: the
// stage that is being written and how many of its rows are there, changed in the
// transaction that writes the rows; or that it takes the place of another one.
// That needs no memory of how far it came, since it looks for what differs.
type load struct {
	*Store
	release graph.Release
	info    graph.KnowledgeBaseInfo
	options LoadOptions
	report  LoadReport

	stage, rows int    // what was there at the beginning
	done        int    // rows of all stages
	step        string // what is being written
}

func (l *load) all(ctx context.Context) error {
	if err := l.begin(ctx); err != nil || l.report.There {
		return err
	}
	if l.report.Replaced {
		if err := l.replace(ctx); err != nil {
			return err
		}
		return l.finish(ctx)
	}
	for i, stage := range stagesOf(l.release) {
		l.step = stage.name
		if err := l.write(ctx, i, stage); err != nil {
			return err
		}
	}
	return l.finish(ctx)
}

// at names the step for an error.
func (l *load) at() string {
	if l.step == "" {
		return ""
	}
	return ": " + l.step
}

// A rowWriter writes rows in a transaction. Running it again changes nothing.
type rowWriter func(ctx context.Context, tx driver.ManagedTransaction, rows []map[string]any) error

// statement writes rows by one statement, whose parameter rows they are.
func statement(text string) rowWriter {
	return func(ctx context.Context, tx driver.ManagedTransaction, rows []map[string]any) error {
		return run(ctx, tx, text, map[string]any{"rows": rows})
	}
}

var (
	writeTypes = statement(`
		UNWIND $rows AS row
		MERGE (t:SemanticType {tui: row.tui})
		SET t = row`)
	writeTypeRelations = statement(`
		UNWIND $rows AS row
		MATCH (a:SemanticType {tui: row.head})
		MATCH (b:SemanticType {tui: row.tail})
		MERGE (a)-[:$(row.type) {label: row.label}]->(b)`)
	writeConcepts = statement(`
		UNWIND $rows AS row
		MERGE (c:Concept {cui: row.cui})
		SET c = row
		REMOVE c:Unlisted
		WITH c, row
		UNWIND row.semanticTypes AS tui
		MATCH (t:SemanticType {tui: tui})
		MERGE (c)-[:HAS_TYPE]->(t)`)
	writeRelations = statement(`
		UNWIND $rows AS row
		MATCH (a:Concept {cui: row.head})
		MATCH (b:Concept {cui: row.tail})
		MERGE (a)-[r:$(row.type) {label: row.label}]->(b)
		SET r.rel = row.rel, r.sources = row.sources`)
)

// stage is one kind of row with what writes it.
type stage struct {
	name  string
	write rowWriter
	rows  func(context.Context) iter.Seq2[map[string]any, error]
}

// stagesOf are the stages of a load into an empty database, in order:
// relationships come after both of their ends.
func stagesOf(release graph.Release) []stage {
	types, typeRelations := release.Network()
	return []stage{
		{name: "semantic types", write: writeTypes, rows: func(context.Context) iter.Seq2[map[string]any, error] {
			return rowsOf(listed(types), semanticTypeRow)
		}},
		{name: "relations of semantic types", write: writeTypeRelations, rows: func(context.Context) iter.Seq2[map[string]any, error] {
			return rowsOf(listed(typeRelations), typeRelationRow)
		}},
		{name: "concepts", write: writeConcepts, rows: func(ctx context.Context) iter.Seq2[map[string]any, error] {
			return rowsOf(release.Concepts(ctx), conceptRow)
		}},
		{name: "relations", write: writeRelations, rows: func(ctx context.Context) iter.Seq2[map[string]any, error] {
			return rowsOf(release.Relations(ctx), relationRow)
		}},
		{name: "retired concepts", write: retire, rows: func(ctx context.Context) iter.Seq2[map[string]any, error] {
			return rowsOf(release.Retired(ctx), retiredRow)
		}},
	}
}

// stageCount is the number of stages: what the node Release says when all rows are there.
const stageCount = 5

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

// begin makes the node Release, or reads how far an earlier load has come.
func (l *load) begin(ctx context.Context) error {
	records, err := l.read(ctx, `
		MATCH (r:Release)
		RETURN r.name AS name, r.digest AS digest, r.complete AS complete, r.replaces AS replaces, r.stage AS stage, r.rows AS rows`, nil)
	if err != nil {
		return err
	}
	row, err := releaseRow(l.info)
	if err != nil {
		return err
	}
	if len(records) == 0 {
		return l.declare(ctx, row)
	}
	known := records[0]
	if stringOf(known, "digest") == l.info.Digest {
		l.stage, l.rows = intOf(known, "stage"), intOf(known, "rows")
		l.report.There, l.report.Replaced = valueOf[bool](known, "complete"), valueOf[bool](known, "replaces")
		return nil
	}
	if !l.options.Replace {
		return fmt.Errorf("%w, %s (%s)", ErrOtherRelease, stringOf(known, "name"), stringOf(known, "digest"))
	}
	l.report.Replaced, row["replaces"] = true, true
	return l.declare(ctx, row)
}

// declare makes row the only node Release.
func (l *load) declare(ctx context.Context, row map[string]any) error {
	return l.persist(ctx, func(tx driver.ManagedTransaction) error {
		if err := run(ctx, tx, "MATCH (r:Release) WHERE r.digest <> $digest DELETE r", map[string]any{"digest": l.info.Digest}); err != nil {
			return err
		}
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
	out := l.batches(func(ctx context.Context, tx driver.ManagedTransaction, batch []map[string]any) error {
		if err := stage.write(ctx, tx, batch); err != nil {
			return err
		}
		return run(ctx, tx, "MATCH (r:Release {digest: $digest}) SET r.stage = $stage, r.rows = $rows",
			map[string]any{"digest": l.info.Digest, "stage": number, "rows": rows})
	})
	for row, err := range stage.rows(ctx) {
		if err != nil {
			return err
		}
		if rows++; rows <= skip {
			continue
		}
		if err := out.add(ctx, row); err != nil {
			return err
		}
	}
	return out.flush(ctx)
}

// batches gathers rows and writes as many at a time as a transaction should have.
type batches struct {
	load  *load
	write rowWriter
	rows  []map[string]any
}

func (l *load) batches(write rowWriter) *batches { return &batches{load: l, write: write} }

func (b *batches) add(ctx context.Context, row map[string]any) error {
	if b.rows = append(b.rows, row); len(b.rows) < b.load.options.BatchRows {
		return nil
	}
	return b.flush(ctx)
}

// flush writes what is gathered.
func (b *batches) flush(ctx context.Context) error {
	if len(b.rows) == 0 {
		return nil
	}
	err := b.load.persist(ctx, func(tx driver.ManagedTransaction) error { return b.write(ctx, tx, b.rows) })
	if err != nil {
		return err
	}
	written := len(b.rows)
	b.rows = b.rows[:0]
	if !b.load.report.Replaced { // else what is compared counts
		b.load.advance(written)
	}
	return nil
}

// rowsOf is the number of rows of a stage, 0 where nobody counted.
func (l *load) rowsOf(stage int) int {
	return []int{l.info.SemanticTypes, l.info.TypeRelations, l.info.Concepts, l.info.Relations, 0}[stage]
}

// advance tells that more rows are there.
func (l *load) advance(rows int) {
	l.done += rows
	l.tell()
}

func (l *load) tell() {
	if l.options.Progress != nil {
		total := 0
		for stage := range stageCount {
			total += l.rowsOf(stage)
		}
		l.options.Progress(l.step, min(l.done, total), total)
	}
}

// persist writes in one transaction and, unlike write, also tries again when the
// connection was lost during the commit, so that nobody knows what became of it:
// the statements of a load may be run twice.
func (l *load) persist(ctx context.Context, work func(tx driver.ManagedTransaction) error) error {
	deadline := time.Now().Add(l.options.Patience)
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
	l.step = "indexes of names"
	l.tell()
	if err := l.createIndexes(ctx); err != nil {
		return err
	}
	return l.persist(ctx, func(tx driver.ManagedTransaction) error {
		return run(ctx, tx, `
			MATCH (r:Release {digest: $digest})
			SET r.complete = true, r.loadedAt = datetime(), r.stage = $stage, r.rows = 0, r.replaces = null`,
			map[string]any{"digest": l.info.Digest, "stage": stageCount})
	})
}
