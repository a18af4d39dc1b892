package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/keci-kg/keci/fusion/modeldir"
	"github.com/keci-kg/keci/fusion/results"
)

// inProgram is what --from takes for the model in the program.
const inProgram = "default"

// origin is the model that training goes on from.
type origin struct {
	dir    string           // empty: none
	record results.Training // how it was trained, where it says so
	model  *results.Origin
}

// readOrigin looks at the model of --from. Its encoder and variant become those of the recipe.
func (r *recipe) readOrigin() error {
	o := &r.origin
	if o.dir == "" {
		return nil
	}
	if r.encoder != "" {
		return usageError("--from has an encoder of its own: leave out --encoder, also in the environment and the configuration file")
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
	o.record, err = results.ReadTraining(o.dir)
	if errors.Is(err, results.ErrNoTraining) {
		o.model = &results.Origin{Name: d.Name, Model: d.Digest}
		return nil
	}
	if err != nil {
		return fmt.Errorf("--from: %w", err)
	}
	model := o.record.Origin(d.Name, d.Digest)
	o.model = &model
	return nil
}

// historyAndFile reads how the model in a directory came about, nil where it does not say,
// and names a file that it may have learned from.
func historyAndFile(dir, data string) (*results.Origin, results.File, error) {
	file, err := results.Describe(data)
	if err != nil {
		return nil, file, err
	}
	t, err := results.ReadTraining(dir)
	if errors.Is(err, results.ErrNoTraining) {
		return nil, file, nil
	}
	model := t.Origin(dir, "")
	return &model, file, err
}

// tell writes the model into the record of a run. The encoder and the embeddings are
// those that it began with; where it does not say which, the encoder is its own.
func (o origin) tell(t *results.Training) {
	if o.model == nil {
		return
	}
	t.From, t.Encoder = o.model, cmp.Or(o.record.Encoder, o.model.Name)
	t.EncoderDigest, t.Embeddings = o.record.EncoderDigest, o.record.Embeddings
}

// doubts tell what the model, or one before it, may have learned from although it is
// held out now, or must stay unseen: what is measured on that may be too good.
func (r recipe) doubts(m material) []string {
	var all []string
	for o := range r.origin.model.All() {
		if o.Learned == nil {
			all = append(all, o.Name+" does not say what it learned from: it may know what is held out here, or measured")
			continue
		}
		if r.heldOut > 0 {
			all = append(all, r.doubtsOfHeldOut(o, m)...)
		}
		for _, file := range filesOf(m.unseen) {
			if o.LearnedFrom(file) || !o.LeftUnseen(file) {
				all = append(all, fmt.Sprintf("%s may have learned from texts of %s, which must stay unseen: it was trained without this --unseen", o.Name, file.Name))
			}
		}
	}
	return all
}

// doubtsOfHeldOut are those about what is held out here.
func (r recipe) doubtsOfHeldOut(o *results.Origin, m material) []string {
	var all, others []string
	for _, s := range m.sources() {
		switch {
		case !o.LearnedFrom(s.data):
			others = append(others, s.data.Name)
		case !o.HeldOut(r.heldOut, r.train.Seed, filesOf(m.unseen)):
			all = append(all, fmt.Sprintf("%s learned from %s and held out other texts: scores on what is held out here are too good; they are not with --seed %d, --held-out %g and the same --unseen",
				o.Name, s.data.Name, o.Seed, o.HeldOutShare))
		}
	}
	if len(others) > 0 {
		var learned []string
		for _, s := range o.Learned {
			learned = append(learned, s.Data.Name)
		}
		slices.Sort(learned)
		all = append(all, fmt.Sprintf("%s learned from %s: whether texts of these are among those of %s that are held out here was not looked at",
			o.Name, strings.Join(slices.Compact(learned), ", "), strings.Join(others, ", ")))
	}
	return all
}
