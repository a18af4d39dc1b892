package neo4j

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/keci-kg/keci/graph"
)

// listSeparator parts the items of a list in an import file: a control character
// that names do not hold.
const listSeparator = "\x1f"

// importFile is one file for the bulk importer.
type importFile struct {
	name   string
	kind   string // argument of neo4j-admin before the name
	header []string
	step   string
	rows   func(context.Context) iter.Seq2[[]string, error]
}

// argumentsFile is the import file with what neo4j-admin has to be told.
const argumentsFile = "arguments"

// WriteImportFiles writes a release as files for neo4j-admin into the folder dir,
// which must not exist and appears when it is complete, and gives the arguments
// of neo4j-admin that import them into the database, which is replaced; the server
// must be stopped. They name the folder, so it has to stay where it is. A Load of
// the same release afterwards makes the indexes and declares the release complete.
// progress, if not nil, is told what is being written and how many of all rows are
// there.
func WriteImportFiles(ctx context.Context, release graph.Release, dir, database string, progress func(step string, done, total int)) (arguments []string, err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("writing import files: %w", err)
	}
	if _, err := os.Lstat(dir); err == nil {
		return nil, fmt.Errorf("writing import files: %s is there already: name a new folder", dir)
	}
	partial, err := os.MkdirTemp(filepath.Dir(dir), filepath.Base(dir)+".partial-*")
	if err != nil {
		return nil, fmt.Errorf("writing import files: %w", err)
	}
	defer os.RemoveAll(partial) // what is left when it fails
	files, total, err := importFiles(ctx, release)
	if err != nil {
		return nil, fmt.Errorf("writing import files: %w", err)
	}
	options := []string{"--overwrite-destination", "--multiline-fields=true", "--array-delimiter=U+001F", "--report-file=" + filepath.Join(dir, "import.report")}
	done := 0
	for _, file := range files {
		written, err := file.write(ctx, partial, func(rows int) {
			if progress != nil {
				progress(file.step, done+rows, total)
			}
		})
		if err != nil {
			return nil, fmt.Errorf("writing the import file %s: %w", file.name, err)
		}
		done += written
		options = append(options, file.kind+filepath.Join(dir, file.name))
	}
	if err := writeArguments(filepath.Join(partial, argumentsFile), options); err != nil {
		return nil, fmt.Errorf("writing import files: %w", err)
	}
	if err := os.Chmod(partial, 0o755); err != nil {
		return nil, fmt.Errorf("writing import files: %w", err)
	}
	if err := os.Rename(partial, dir); err != nil {
		return nil, fmt.Errorf("writing import files: %w", err)
	}
	return []string{"database", "import", "full", database, "@" + filepath.Join(dir, argumentsFile)}, nil
}

// writeArguments writes arguments as a file that neo4j-admin reads, one a line in
// quotation marks.
func writeArguments(path string, arguments []string) error {
	var text strings.Builder
	for _, argument := range arguments {
		text.WriteString(`"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(argument) + "\"\n")
	}
	return os.WriteFile(path, []byte(text.String()), 0o644)
}

// importFiles lists the files of a release, and how many rows they will have.
func importFiles(ctx context.Context, release graph.Release) (files []importFile, total int, err error) {
	info, err := release.Info(ctx)
	if err != nil {
		return nil, 0, err
	}
	row, err := releaseRow(info)
	if err != nil {
		return nil, 0, err
	}
	row["stage"] = stageCount // all rows are there; the indexes are not
	types, typeRelations := release.Network()
	return []importFile{
		{"release.csv", "--nodes=Release=", []string{"digest:ID(Release)", "name", "sources:string[]", "info", "concepts:long", "names:long",
			"definitions:long", "relations:long", "semanticTypes:long", "typeRelations:long", "stage:long", "rows:long", "complete:boolean"}, "release",
			fields(listed([]map[string]any{row}), "digest", "name", "sources", "info", "concepts", "names", "definitions", "relations",
				"semanticTypes", "typeRelations", "stage", "rows", "complete")},
		{"semantic-types.csv", "--nodes=SemanticType=", []string{"tui:ID(SemanticType)", "abbreviation", "name", "group", "treeNumber", "definition"}, "semantic types",
			fields(rowsOf(listed(types), semanticTypeRow), "tui", "abbreviation", "name", "group", "treeNumber", "definition")},
		{"concepts.csv", "--nodes=Concept=", []string{"cui:ID(Concept)", "name", "synonyms:string[]", "semanticTypes:string[]", "definition", "sources:string[]", "codes:string[]"}, "concepts",
			fields(rowsOf(release.Concepts(ctx), conceptRow), "cui", "name", "synonyms", "semanticTypes", "definition", "sources", "codes")},
		{"retired.csv", "--nodes=Retired=", []string{"cui:ID(Retired)", "release"}, "retired concepts",
			fields(rowsOf(release.Retired(ctx), retiredRow), "cui", "release")},
		{"replaced-by.csv", "--relationships=REPLACED_BY=", []string{":START_ID(Retired)", ":END_ID(Concept)"}, "retired concepts",
			fields(replaced(rowsOf(release.Retired(ctx), retiredRow)), "cui", "into")},
		{"has-type.csv", "--relationships=HAS_TYPE=", []string{":START_ID(Concept)", ":END_ID(SemanticType)"}, "types of concepts",
			hasTypeRows(release, types)},
		{"type-relations.csv", "--relationships=", []string{":START_ID(SemanticType)", ":END_ID(SemanticType)", ":TYPE", "label"}, "relations of semantic types",
			fields(rowsOf(listed(typeRelations), typeRelationRow), "head", "tail", "type", "label")},
		{"relations.csv", "--relationships=", []string{":START_ID(Concept)", ":END_ID(Concept)", ":TYPE", "label", "rel", "sources:string[]"}, "relations",
			fields(rowsOf(release.Relations(ctx), relationRow), "head", "tail", "type", "label", "rel", "sources")},
	}, info.SemanticTypes + info.TypeRelations + 2*info.Concepts + info.Relations, nil
}

// fields gives the named fields of rows as text.
func fields(rows iter.Seq2[map[string]any, error], keys ...string) func(context.Context) iter.Seq2[[]string, error] {
	return func(context.Context) iter.Seq2[[]string, error] {
		return func(yield func([]string, error) bool) {
			record := make([]string, len(keys))
			for row, err := range rows {
				if err != nil {
					yield(nil, err)
					return
				}
				for i, key := range keys {
					if record[i], err = fieldText(row[key]); err != nil {
						yield(nil, fmt.Errorf("%s of %v: %w", key, row[keys[0]], err))
						return
					}
				}
				if !yield(record, nil) {
					return
				}
			}
		}
	}
}

// replaced are the rows of retired concepts in whose place there is another one.
func replaced(rows iter.Seq2[map[string]any, error]) iter.Seq2[map[string]any, error] {
	return func(yield func(map[string]any, error) bool) {
		for row, err := range rows {
			if (err != nil || row["into"] != nil) && !yield(row, err) {
				return
			}
		}
	}
}

func fieldText(value any) (string, error) {
	switch v := value.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case int:
		return strconv.Itoa(v), nil
	case bool:
		return strconv.FormatBool(v), nil
	case []string:
		for _, item := range v {
			if strings.Contains(item, listSeparator) {
				return "", fmt.Errorf("%q holds the control character U+001F", item)
			}
		}
		return strings.Join(v, listSeparator), nil
	}
	return "", fmt.Errorf("a %T has no form in an import file", value)
}

// hasTypeRows gives the concepts with those of their types that the release knows.
func hasTypeRows(release graph.Release, types []graph.SemanticType) func(context.Context) iter.Seq2[[]string, error] {
	known := map[graph.TUI]bool{}
	for _, t := range types {
		known[t.TUI] = true
	}
	return func(ctx context.Context) iter.Seq2[[]string, error] {
		return func(yield func([]string, error) bool) {
			for concept, err := range release.Concepts(ctx) {
				if err != nil {
					yield(nil, err)
					return
				}
				for _, tui := range concept.SemanticTypes {
					if known[tui] && !yield([]string{string(concept.CUI), string(tui)}, nil) {
						return
					}
				}
			}
		}
	}
}

// rowsPerReport is how often progress is told.
const rowsPerReport = 10_000

func (f importFile) write(ctx context.Context, dir string, report func(rows int)) (rows int, err error) {
	file, err := os.Create(filepath.Join(dir, f.name))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	buffer := bufio.NewWriterSize(file, 1<<20)
	out := csv.NewWriter(buffer)
	if err := out.Write(f.header); err != nil {
		return 0, err
	}
	for record, err := range f.rows(ctx) {
		if err != nil {
			return rows, err
		}
		if err := out.Write(record); err != nil {
			return rows, err
		}
		if rows++; rows%rowsPerReport == 0 {
			report(rows)
		}
	}
	out.Flush()
	return rows, errors.Join(out.Error(), buffer.Flush())
}
