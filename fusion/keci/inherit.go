package keci

import (
	"fmt"
	"log/slog"
	"path"
	"slices"
	"strings"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/keci-kg/keci/fusion/modeldir"
)

// goOnFrom is the configuration of a model that begins with the weights of another
// one: the sizes, and what it knows of knowledge bases, are those of the other.
func (c Config) goOnFrom(from Config) (Config, error) {
	switch {
	case c.Variant != from.Variant:
		return c, fmt.Errorf("it is of the variant %s, not %s", from.Variant, c.Variant)
	case c.Span.MaxWidth != from.Span.MaxWidth:
		return c, fmt.Errorf("its spans have at most %d word pieces, not %d: give it --max-span %d", from.Span.MaxWidth, c.Span.MaxWidth, from.Span.MaxWidth)
	}
	dropout := c.Span.Dropout
	c.Span, c.Hidden, c.SpanLayers, c.Knowledge = from.Span, from.Hidden, from.SpanLayers, from.Knowledge
	c.Span.Dropout = dropout
	return c, c.Validate()
}

// inherit takes over the weights of the model in a directory, whose configuration is
// from. A label that one of its heads has for the same corpus keeps its weights,
// others begin with none. Layers of the BiGCN that tell other kinds of pairs apart
// begin anew.
func (m *Model) inherit(dir string, from Config, seed int64) error {
	m.store.SetParam("/"+model.ParamInitialSeed, seed)
	theirs := model.NewStore()
	if err := modeldir.LoadWeights(nil, theirs, m.encoderConfig, dir); err != nil {
		return err
	}
	defer theirs.Finalize()
	sameKinds := from.pairKindCount() == m.cfg.pairKindCount()
	if !sameKinds && m.cfg.has().bigcn {
		slog.Info("the graph over the spans tells other kinds of pairs apart: its messages are learned anew", "model", dir)
	}
	for v := range theirs.IterVariables() {
		if !sameKinds && isOfPairKinds(v.Path()) {
			continue
		}
		value, err := v.Value()
		if err != nil {
			return fmt.Errorf("read weights of %s: %s: %w", dir, v.Path(), err)
		}
		if value, err = regroup(value, classesAt(v.Path(), from, m.cfg)); err != nil {
			return fmt.Errorf("read weights of %s: %s: %w", dir, v.Path(), err)
		}
		if _, err := m.store.CreateVariable(v.Path(), value); err != nil {
			return fmt.Errorf("take over weights of %s: %s: %w", dir, v.Path(), err)
		}
	}
	return nil
}

// pairKindCount is K of the BiGCN, see pairKinds.
func (c Config) pairKindCount() int {
	if len(c.More) == 0 {
		return len(c.RelationLabels)
	}
	return 2
}

// isOfPairKinds tells the layers of the BiGCN that have weights for each kind of pair.
func isOfPairKinds(name string) bool {
	direction := path.Base(path.Dir(name))
	return strings.HasPrefix(name, "/bigcn/") && (direction == "forward" || direction == "backward")
}

// classesAt tells for each class of the variable at a path which class of another model
// it is, −1 for none; nil where a variable has no classes.
func classesAt(name string, from, to Config) []int {
	layer := path.Dir(name)
	switch {
	case path.Base(layer) != "output":
		return nil
	case path.Base(path.Dir(layer)) == "type":
		return sameClasses(from, to, func(h Head) []string { return h.EntityTypes })
	case path.Base(path.Dir(layer)) == "relation":
		return sameClasses(from, to, func(h Head) []string { return h.RelationLabels })
	}
	return nil
}

// sameClasses finds the labels of all heads of one model among those of another, by
// corpus and name.
func sameClasses(from, to Config, labels func(Head) []string) []int {
	type class struct{ corpus, label string }
	known := map[class]int{}
	for _, h := range from.heads() {
		for _, label := range labels(h) {
			known[class{h.Corpus, label}] = len(known)
		}
	}
	var of []int
	for _, h := range to.heads() {
		for _, label := range labels(h) {
			at, ok := known[class{h.Corpus, label}]
			if !ok {
				at = -1
			}
			of = append(of, at)
		}
	}
	return of
}

// regroup is a float32 tensor [..., classes] with the classes of, each by its index; the
// weights of a class −1 are 0. It is the same tensor where of is nil.
func regroup(t *tensors.Tensor, of []int) (*tensors.Tensor, error) {
	if of == nil {
		return t.LocalClone()
	}
	if t.DType() != dtypes.Float32 {
		return nil, fmt.Errorf("it is of type %s, not float32", t.DType())
	}
	dims := slices.Clone(t.Shape().Dimensions)
	last := len(dims) - 1
	classes := dims[last]
	if most := slices.Max(of); most >= classes {
		return nil, fmt.Errorf("it has %d classes, and the configuration %d or more", classes, most+1)
	}
	flat, err := tensors.CopyFlatData[float32](t)
	if err != nil {
		return nil, err
	}
	var values []float32
	for row := range slices.Chunk(flat, classes) {
		for _, at := range of {
			value := float32(0)
			if at >= 0 {
				value = row[at]
			}
			values = append(values, value)
		}
	}
	dims[last] = len(of)
	return tensors.FromFlatDataAndDimensions(values, dims...), nil
}
