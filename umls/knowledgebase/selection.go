package knowledgebase

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/linker"
)

// Selection says what to link with and read subgraphs from.
type Selection struct {
	Dirs      []string // knowledge base folders, by rank; "", or none at all, for the default one
	Terms     string   // file of a user's own terms (see ReadTerms), beside them
	StopWords string   // file (see linker.ReadStopWords) instead of the built-in list
}

// Open opens what is selected as one knowledge base. Its name and digest tell
// all that is in it, the stop words included.
func (s Selection) Open(ctx context.Context, options ...linker.Option) (*KnowledgeBase, error) {
	digest := sha256.New()
	if s.StopWords != "" {
		words, err := readStopWords(s.StopWords, digest)
		if err != nil {
			return nil, err
		}
		options = append(slices.Clip(options), linker.StopWords(words))
	}
	if len(s.Dirs) <= 1 && s.Terms == "" && s.StopWords == "" {
		return s.openFirst(ctx, options...)
	}
	parts, err := s.openOthers(ctx, options...)
	if err != nil {
		return nil, errors.Join(err, closeAll(parts))
	}
	var beside []*linker.Linker
	for _, p := range parts {
		beside = append(beside, p.Linker)
	}
	first, err := s.openFirst(ctx, append(slices.Clip(options), linker.Beside(beside...))...)
	if err != nil {
		return nil, errors.Join(err, closeAll(parts))
	}
	parts = append([]*KnowledgeBase{first}, parts...)
	joined := several{info: joinInfo(parts)}
	for _, p := range parts {
		joined.parts = append(joined.parts, p.Knowledge)
		fmt.Fprintln(digest, p.Info.Digest)
	}
	joined.info.Digest = fmt.Sprintf("sha256:%x", digest.Sum(nil))
	return &KnowledgeBase{joined.info, joined, first.Linker, func() error { return closeAll(parts) }}, nil
}

func readStopWords(path string, digest io.Writer) ([]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the stop words: %w", err)
	}
	defer file.Close()
	words, err := linker.ReadStopWords(io.TeeReader(file, digest))
	if err != nil {
		return nil, fmt.Errorf("reading the stop words: %s: %w", path, err)
	}
	return words, nil
}

// openFirst opens the knowledge base that ranks first.
func (s Selection) openFirst(ctx context.Context, options ...linker.Option) (*KnowledgeBase, error) {
	if len(s.Dirs) == 0 {
		return OpenDefault(ctx, options...)
	}
	return openDir(ctx, s.Dirs[0], options...)
}

func openDir(ctx context.Context, dir string, options ...linker.Option) (*KnowledgeBase, error) {
	if dir == "" {
		return OpenDefault(ctx, options...)
	}
	return Open(ctx, dir, options...)
}

// openOthers opens the other knowledge bases and the terms. With an error, it
// gives those that were opened before.
func (s Selection) openOthers(ctx context.Context, options ...linker.Option) (opened []*KnowledgeBase, err error) {
	for _, dir := range s.Dirs[min(1, len(s.Dirs)):] {
		kb, err := openDir(ctx, dir, options...)
		if err != nil {
			return opened, err
		}
		opened = append(opened, kb)
	}
	if s.Terms != "" {
		kb, err := openTerms(ctx, s.Terms, options...)
		if err != nil {
			return opened, err
		}
		opened = append(opened, kb)
	}
	return opened, nil
}

func closeAll(parts []*KnowledgeBase) error {
	var errs []error
	for _, p := range parts {
		errs = append(errs, p.Close())
	}
	return errors.Join(errs...)
}

// joinInfo sums up what several knowledge bases hold.
func joinInfo(parts []*KnowledgeBase) graph.KnowledgeBaseInfo {
	info := graph.KnowledgeBaseInfo{FormatVersion: parts[0].Info.FormatVersion}
	var names []string
	for _, p := range parts {
		names = append(names, p.Info.Name)
		info.Concepts += p.Info.Concepts
		info.Names += p.Info.Names
		info.Definitions += p.Info.Definitions
		info.Relations += p.Info.Relations
		info.SemanticTypes = max(info.SemanticTypes, p.Info.SemanticTypes)
		info.TypeRelations = max(info.TypeRelations, p.Info.TypeRelations)
		info.Sources = append(info.Sources, p.Info.Sources...)
	}
	info.Name = strings.Join(names, " + ")
	info.Sources = sortedOnce(info.Sources, func(a, b graph.SourceInfo) int { return strings.Compare(a.Abbreviation, b.Abbreviation) })
	return info
}
