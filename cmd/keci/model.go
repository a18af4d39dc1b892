package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/fusion"
	"github.com/keci-kg/keci/fusion/results"
	"github.com/keci-kg/keci/fusion/train"
	"github.com/keci-kg/keci/graph"
)

func newModelCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "model",
		Short:   "Look at a model directory, make it smaller or faster, calibrate its scores, tell it senses, or import an encoder",
		Example: "  keci model info\n  keci model quantize runs/biorelex/best small",
	}
	cmd.AddCommand(newModelInfoCommand(), newModelImportCommand(), newModelQuantizeCommand(), newModelCalibrateCommand(), newModelSensesCommand(), newModelPruneCommand())
	return cmd
}

func newModelInfoCommand() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "info [DIR]",
		Short: "Labels, sizes, digest and training of a model, as JSON (default: the one in the program)",
		Long: `Tells what a model directory holds, as JSON: its labels, as users are told them, its size
and digest, and how it was trained, where it says so (the whole of that is in its training.json).
--all adds its configuration, with all that it knows by name.`,
		Example: "  keci model info runs/biorelex/best",
		Args:    maximumArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := modelDir(append(args, "")[0])
			if err != nil {
				return err
			}
			d, err := systems.Describe(dir)
			if err != nil {
				return err
			}
			info := modelInfo{ModelInfo: d.ModelInfo}
			if all {
				info.Config = d.Config
			}
			if info.Training, err = trainingOf(dir); err != nil {
				return err
			}
			out := json.NewEncoder(cmd.OutOrStdout())
			out.SetIndent("", "  ")
			return out.Encode(info)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "tell the configuration as well")
	return cmd
}

// modelInfo is what is told of a model.
type modelInfo struct {
	fusion.ModelInfo
	Training *trainingInfo `json:"training,omitempty"` // absent: the model does not say
	Config   any           `json:"config,omitempty"`
}

// trainingInfo is what of the record of a training most want to know.
type trainingInfo struct {
	Learned  []string          `json:"learned"` // corpora with their files
	From     string            `json:"from,omitempty"`
	Encoder  string            `json:"encoder"`
	KB       *graph.Provenance `json:"kb,omitempty"`
	Seed     int64             `json:"seed"`
	Epochs   int               `json:"epochs"`
	HeldOut  train.Score       `json:"heldOut"` // what it reaches there, 0…1
	Changes  []string          `json:"changes,omitempty"`
	Doubts   []string          `json:"doubts,omitempty"`
	Finished string            `json:"finished"`
}

// trainingOf reads how the model in a directory was trained; nil: it does not say.
func trainingOf(dir string) (*trainingInfo, error) {
	t, err := results.ReadTraining(dir)
	if errors.Is(err, results.ErrNoTraining) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	info := trainingInfo{Encoder: t.Encoder, KB: t.KB, Seed: t.Seed, Epochs: t.Options.Epochs, HeldOut: t.Best.Score, Doubts: t.Doubts, Finished: t.Finished}
	for _, s := range t.Sources() {
		info.Learned = append(info.Learned, s.Corpus+": "+s.Data.Name)
	}
	if t.From != nil {
		info.From = t.From.Name
	}
	for _, c := range t.Changes {
		info.Changes = append(info.Changes, c.Name)
	}
	return &info, nil
}

func newModelImportCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "import FROM OUT",
		Short: "Make an encoder to train with of a Hugging Face folder",
		Long: `Reads a BERT in the folder FROM, as Hugging Face gives it out, with its weights in
model.safetensors or pytorch_model.bin, checks it, and writes it as the new folder
OUT, which keci train takes as --encoder. Nothing in the files is executed.`,
		Example: `  keci model import scibert_scivocab_uncased encoders/scibert
  keci train --encoder encoders/scibert --corpus biorelex --data train.json --out runs/scibert`,
		Args: exactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := encoder.Import(args[0], args[1]); err != nil {
				return err
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "wrote %s\n", args[1])
			return err
		},
	}
}

func newModelQuantizeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "quantize DIR OUT",
		Short: "Write a model again with 8-bit matrices, a quarter of the size",
		Long: `Writes the model in DIR as the new directory OUT with its matrices as 8-bit
integers, each row with a scale of its own. Computing is done in 32 bits as before.`,
		Example: "  keci model quantize runs/biorelex/best small",
		Args:    exactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := systems.Quantize(args[0], args[1]); err != nil {
				return err
			}
			if err := recordChange(cmd, args[0], args[1], "quantized", nil); err != nil {
				return err
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "wrote %s\n", args[1])
			return err
		},
	}
}

// recordChange tells the model directory to, which cmd made of the model in from, how
// its model came about, as far as that one knows it. more changes the rest of the
// record, and may be nil.
func recordChange(cmd *cobra.Command, from, to, name string, more func(*results.Training)) error {
	t, err := results.ReadTraining(from)
	if errors.Is(err, results.ErrNoTraining) {
		return nil
	}
	if err != nil {
		return err
	}
	t.Changes = append(t.Changes, results.Change{Name: name, Command: thisCommand(cmd.Flags())})
	if more != nil {
		more(&t)
	}
	return writeCard(to, t)
}
