package main

import (
	"context"
	"io"
	"os"

	"github.com/keci-kg/keci/fusion"
	"github.com/keci-kg/keci/fusion/engine"
	"github.com/keci-kg/keci/fusion/keci/pretrained"
	"github.com/keci-kg/keci/fusion/system"
	"github.com/keci-kg/keci/umls/knowledgebase"
)

// extractor is an open extractor that must be closed.
type extractor struct {
	fusion.Extractor
	close func()
}

// Close gives back what model and engine hold.
func (e extractor) Close() { e.close() }

// of is the same extractor or, where it learned from several corpora, what one of them
// annotates, in its labels.
func (e extractor) of(corpus string) extractor {
	if many, ok := e.Extractor.(system.ManyCorpora); ok {
		if of, ok := many.For(corpus); ok {
			e.Extractor = of
		}
	}
	return e
}

// openExtractor opens a model directory, or the model in the program when dir is
// empty, on an engine, to be used with a knowledge base.
func openExtractor(dir string, kb *knowledgebase.KnowledgeBase, engineName string) (extractor, error) {
	dir, err := modelDir(dir)
	if err != nil {
		return extractor{}, err
	}
	limitServingMemory()
	backend, err := openEngine(engineName, engine.Sentences)
	if err != nil {
		return extractor{}, err
	}
	knowledge := modelKnowledge(kb)
	knowledge.Cache = definitionCache()
	model, err := systems.Open(backend, dir, knowledge)
	if err != nil {
		backend.Finalize()
		return extractor{}, err
	}
	return extractor{model, func() {
		if m, ok := model.(io.Closer); ok {
			_ = m.Close() // of a file that is read, or whose records are whole
		}
		backend.Finalize()
	}}, nil
}

// useExtractor opens a knowledge base and a model, gives them to do, and closes them.
// Empty directories stand for what is in the program.
func useExtractor(ctx context.Context, modelDir, kbDir, engineName string, do func(extractor, *knowledgebase.KnowledgeBase) error) error {
	kb, err := openKnowledgeBase(ctx, kbDir)
	if err != nil {
		return err
	}
	defer kb.Close()
	model, err := openExtractor(modelDir, kb, engineName)
	if err != nil {
		return err
	}
	defer model.Close()
	return do(model, kb)
}

// definitionVariable names the environment variable for the folder that keeps the
// vectors of definitions, or "off".
const definitionVariable = "KECI_DEFINITION_CACHE"

// definitionCache is the folder that keeps the vectors of definitions, by default the
// one for what keci can make again; empty when nothing is to be kept.
func definitionCache() string {
	switch dir := os.Getenv(definitionVariable); dir {
	case "":
		cache, err := knowledgebase.CacheDir()
		if err != nil {
			return "" // nothing asks for one: every definition is encoded again
		}
		return cache
	case "off":
		return ""
	default:
		return dir
	}
}

// modelDir is dir, or where the model in the program lies when dir is empty.
func modelDir(dir string) (string, error) {
	if dir != "" {
		return dir, nil
	}
	cache, err := knowledgebase.CacheDir()
	if err != nil {
		return "", err
	}
	return pretrained.Dir(cache)
}
