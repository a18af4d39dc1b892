package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/spf13/cobra"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/fusion/engine"
	"github.com/keci-kg/keci/fusion/kge"
	"github.com/keci-kg/keci/internal/wholefile"
)

type kbEmbedOptions struct {
	encoder, engine string
	compare, quiet  bool
	learn           kge.Options
}

func newKBEmbedCommand() *cobra.Command {
	o := kbEmbedOptions{learn: kge.DefaultOptions()}
	cmd := &cobra.Command{
		Use:   "embed DIR",
		Short: "Learn knowledge-graph embeddings from the relations of a knowledge base",
		Long: `Learns vectors of the concepts, semantic types and relations of a knowledge base
from its relations: ComplEx (Trouillon et al. 2016), where the vector of a concept
is a function of its name, semantic types and definition (BLP, Daza et al. 2021).
So a model that was trained with one knowledge base gives vectors to the concepts
of any other.

Some relations are held out; how well they are found again is printed as JSON:
"heldOut" are relations between concepts of which others were learned, "unseen"
those of concepts of which nothing was learned, as in another knowledge base.
--compare also learns a vector for each concept, as ComplEx does, and prints what
that reaches as "ownVector".

They are written to ` + kge.FileName + ` in the folder of the knowledge base, where
keci train finds them. The one in the program has no folder: build one (keci kb
build), and embed that.`,
		Example: "  keci kb embed data/kb-open --encoder encoders/minilm-l6",
		Args:    maximumArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return o.run(cmd, append(args, "")[0]) },
	}
	f := cmd.Flags()
	f.StringVar(&o.encoder, "encoder", "", "Hugging Face `DIR` of the encoder whose word-piece vectors are read, the one of training")
	engineFlag(f, &o.engine)
	f.BoolVar(&o.compare, "compare", false, "also learn and measure a vector for each concept")
	f.IntVar(&o.learn.Size, "size", o.learn.Size, "numbers in a vector, an even number")
	f.IntVar(&o.learn.Steps, "steps", o.learn.Steps, "of the optimizer")
	f.IntVar(&o.learn.Batch, "batch", o.learn.Batch, "relations in a step")
	f.IntVar(&o.learn.Negatives, "negatives", o.learn.Negatives, "concepts that are sampled in a step, to tell what is related from what is not")
	f.Float64Var(&o.learn.Rate, "rate", o.learn.Rate, "highest learning rate")
	f.Float64Var(&o.learn.N3, "n3", o.learn.N3, "weight of the N3 regularizer")
	f.Float64Var(&o.learn.HeldOut, "held-out", o.learn.HeldOut, "share of the related pairs, and of the concepts, that is held out")
	f.IntVar(&o.learn.Queries, "queries", o.learn.Queries, "at most so many held-out relations are asked for")
	f.Int64Var(&o.learn.Seed, "seed", o.learn.Seed, "of the initial weights, the sampling and what is held out")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "tell no progress")
	return cmd
}

func (o kbEmbedOptions) run(cmd *cobra.Command, dir string) error {
	switch {
	case o.encoder == "":
		return usageError("--encoder is missing; see keci kb embed --help")
	case dir == "":
		return usageError("DIR is missing: the knowledge base in the program has no folder for embeddings; build one with keci kb build, and embed that")
	}
	if err := o.learn.Validate(); err != nil {
		return usageError("%w", err)
	}
	kb, err := openKnowledgeBase(cmd.Context(), dir)
	if err != nil {
		return err
	}
	defer kb.Close()
	path := filepath.Join(dir, kge.FileName)
	if err := checkWritable(path); err != nil {
		return err
	}
	release, err := kb.Release()
	if err != nil {
		return err
	}
	facts, err := kge.Read(cmd.Context(), release)
	if err != nil {
		return fmt.Errorf("knowledge base %s: %w", kb.Info.Name, err)
	}
	texts, err := readTexts(o.encoder)
	if err != nil {
		return err
	}
	limitTrainingMemory()
	backend, err := openEngine(o.engine, engine.Batches)
	if err != nil {
		return err
	}
	defer backend.Finalize()
	progress := &embedProgress{start: func(name string) trainProgress {
		p := newTrainProgress(cmd.ErrOrStderr(), o.quiet)
		p.line("%s", name)
		return p
	}}
	e, err := kge.Learn(cmd.Context(), backend, facts, texts, o.learn, o.compare, progress)
	if err != nil {
		return err
	}
	e.KnowledgeBase = *kb.Provenance()
	if err := e.Save(path); err != nil {
		return err
	}
	out := json.NewEncoder(cmd.OutOrStdout())
	out.SetIndent("", "  ")
	return out.Encode(e.Report)
}

// checkWritable tells before minutes of work that a file cannot be written, as in a folder
// of somebody else.
func checkWritable(path string) error {
	file, err := wholefile.Create(path, partialSuffix)
	if err != nil {
		return fmt.Errorf("making the output: %w", err)
	}
	return file.Discard()
}

// embedProgress tells the progress of one part after the other.
type embedProgress struct {
	start func(name string) trainProgress
	name  string
	part  trainProgress
}

// Step implements kge.Progress.
func (p *embedProgress) Step(name string, done, total int, loss float64) {
	if name != p.name {
		p.name, p.part = name, p.start(name)
	}
	p.part.Step(done, total, loss)
}

// readTexts reads the word-piece vectors of an encoder.
func readTexts(dir string) (kge.Texts, error) {
	cfg, err := encoder.LoadConfig(dir)
	if err != nil {
		return kge.Texts{}, err
	}
	tokenizer, err := encoder.LoadTokenizer(dir)
	if err != nil {
		return kge.Texts{}, err
	}
	if tokenizer.VocabSize() > cfg.VocabSize {
		return kge.Texts{}, fmt.Errorf("encoder %s: the vocabulary has %d pieces, config.json says %d", dir, tokenizer.VocabSize(), cfg.VocabSize)
	}
	store := model.NewStore()
	defer store.Finalize()
	if err := encoder.LoadWeights(store, "/", dir, cfg); err != nil {
		return kge.Texts{}, err
	}
	table, err := store.GetVariable("/embeddings/word").Value()
	if err != nil {
		return kge.Texts{}, fmt.Errorf("encoder %s: %w", dir, err)
	}
	pieces, err := tensors.CopyFlatData[float32](table)
	if err != nil {
		return kge.Texts{}, fmt.Errorf("encoder %s: %w", dir, err)
	}
	return kge.Texts{Tokenizer: tokenizer, Pieces: pieces, Width: cfg.HiddenSize}, nil
}

// openEmbeddings opens what keci kb embed made of a knowledge base folder; nil
// when it was not called.
func openEmbeddings(dir string) (*kge.Embeddings, error) {
	if dir == "" {
		return nil, nil
	}
	e, err := kge.Open(filepath.Join(dir, kge.FileName))
	if errors.Is(err, kge.ErrNone) {
		return nil, nil
	}
	return e, err
}
