package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/keci-kg/keci/fusion/modeldir"
	"github.com/keci-kg/keci/fusion/results"
)

// inProgram is what --from takes for the model in the program.
const inProgram = "default"

// origin is the model that training goes on from.
type origin struct {
	dir      string           // empty: none
	known    bool             // whether the model says how it was trained
	training results.Training // if so
	named    results.Origin
}

// readOrigin looks at the model of --from. Its encoder and variant become those of the recipe.
func (r *recipe) readOrigin() error {
	o := &r.origin
	if o.dir == "" {
		return nil
	}
	if r.encoder != "" {
		return usageError("--from has an encoder: leave out --encoder")
	}
	var err error
	if o.dir == inProgram {
		if o.dir, err = modelDir(""); err != nil {
			return err
		}
	}
	variant, err := modeldir.Variant(o.dir)
	if err != nil {
		return fmt.Errorf("--from: %w", err)
	}
	if r.variant != "" && r.variant != variant {
		return usageError("--from: the model in %s is of the variant %s, not %s", o.dir, variant, r.variant)
	}
	r.variant, r.encoder = variant, o.dir
	return o.read()
}

// read takes down what the model says of itself.
func (o *origin) read() error {
	d, err := systems.Describe(o.dir)
	if err != nil {
		return fmt.Errorf("--from: %w", err)
	}
	o.named = results.Origin{Name: d.Name, Model: d.Digest}
	o.training, err = results.ReadTraining(o.dir)
	if errors.Is(err, results.ErrNoTraining) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("--from: %w", err)
	}
	t := o.training
	o.known = true
	o.named.Command, o.named.Unseen = t.Command, t.Unseen
	o.named.Learned = append([]results.Source{t.Source}, t.Also...)
	if t.From != nil {
		o.named.Learned = append(o.named.Learned, t.From.Learned...)
	}
	return nil
}

// record tells of the model in the record of a run. The encoder and the embeddings are
// those that it began with.
func (o origin) record(t *results.Training) {
	if o.dir == "" {
		return
	}
	t.From = &o.named
	t.Encoder = cmp.Or(o.training.Encoder, filepath.Base(filepath.Clean(o.dir)))
	t.EncoderDigest, t.Embeddings = o.training.EncoderDigest, o.training.Embeddings
}

// warn tells where the model may have learned from what is held out of it now, or must
// stay unseen: what is measured on that would be too good.
func (o origin) warn(r recipe, m material, stderr io.Writer) {
	switch {
	case o.dir == "":
		return
	case !o.known:
		fmt.Fprintf(stderr, "warning: %s does not say what it learned from: it may know what is held out here\n", o.dir)
		return
	}
	t := o.training
	same := t.Seed == r.train.Seed && t.HeldOutShare == r.heldOut && slices.Equal(t.Unseen, filesOf(m.unseen))
	for _, s := range append([]source{m.source}, m.also...) {
		if o.learned(s.data) && !same {
			fmt.Fprintf(stderr, "warning: %s learned from %s and held out other texts: scores on what is held out here are too good; they are not with --seed %d, --held-out %g and the same --unseen\n",
				o.dir, s.data.Name, t.Seed, t.HeldOutShare)
		}
	}
	for _, file := range filesOf(m.unseen) {
		if o.learned(file) || !slices.Contains(t.Unseen, file) {
			fmt.Fprintf(stderr, "warning: %s may have learned from texts of %s, which must stay unseen: it was trained without this --unseen\n", o.dir, file.Name)
		}
	}
}

// learned tells whether the model, or one before it, learned from a file.
func (o origin) learned(file results.File) bool {
	return slices.ContainsFunc(o.named.Learned, func(s results.Source) bool { return s.Data.SHA256 == file.SHA256 })
}
