package keci

import (
	"fmt"
	"log/slog"
	"path"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/keci-kg/keci/fusion/modeldir"
	"github.com/keci-kg/keci/fusion/system"
)

// goOn opens the model that training goes on from, and gives the configuration of the
// one that begins with its weights: the sizes, and what it knows of knowledge bases, are
// those of the former. A setting that would need others is an error.
func goOn(backend compute.Backend, cfg Config, m system.Material) (*Model, Config, error) {
	kb := m.KnowledgeBase
	kb.Cache = ""
	from, err := Open(backend, m.From, kb)
	if err != nil {
		return nil, cfg, fmt.Errorf("go on from another model: %w", err)
	}
	theirs := from.cfg
	switch {
	case cfg.Variant != theirs.Variant:
		err = fmt.Errorf("it is of the variant %s, not %s", theirs.Variant, cfg.Variant)
	case cfg.Span.MaxWidth != theirs.Span.MaxWidth:
		err = fmt.Errorf("its spans have at most %d word pieces, not %d: give it --max-span %d", theirs.Span.MaxWidth, cfg.Span.MaxWidth, theirs.Span.MaxWidth)
	case max(1, cfg.Window) != max(1, theirs.Window):
		err = fmt.Errorf("it reads %d sentences together, not %d: give it --window %d", max(1, theirs.Window), max(1, cfg.Window), max(1, theirs.Window))
	}
	dropout := cfg.Span.Dropout
	cfg.Span, cfg.Hidden, cfg.SpanLayers, cfg.Knowledge = theirs.Span, theirs.Hidden, theirs.SpanLayers, theirs.Knowledge
	cfg.Span.Dropout = dropout
	if err == nil {
		err = cfg.Validate()
	}
	if err != nil {
		return nil, cfg, fmt.Errorf("go on from the model in %s: %w", m.From, err)
	}
	return from, cfg, nil
}

// inherit takes over the weights of another model. A label that both have for the same
// corpus keeps its weights; others begin with none. Of the graph over the spans see
// [Config.goesOnWithSpans].
func (m *Model) inherit(from *Model, seed int64) error {
	m.store.SetParam("/"+model.ParamInitialSeed, seed)
	theirs := from.cfg.calledAs(m.cfg)
	goesOn := m.cfg.goesOnWithSpans(theirs)
	for v := range from.store.IterVariables() {
		if !modeldir.IsWeight(v) {
			continue
		}
		of := sameClasses(theirs.classesAt(v.Path()), m.cfg.classesAt(v.Path()))
		if ofSpanGraph(v.Path()) && !goesOn {
			continue // made when a graph first asks for it
		}
		value, err := v.Value()
		if err == nil {
			value, err = regroup(value, of, len(theirs.classesAt(v.Path())))
		}
		if err == nil {
			_, err = m.store.CreateVariable(v.Path(), value)
		}
		if err != nil {
			return fmt.Errorf("take over the weights %s: %w", v.Path(), err)
		}
	}
	slog.Info("going on from a model: labels that it knows", "model", from.cfg.Name,
		"types", howMany(theirs.types(), m.cfg.types()), "relations", howMany(theirs.relations(), m.cfg.relations()))
	return nil
}

// goesOnWithSpans tells whether the graph over the spans of another model is taken over. It
// is learned anew where no kind of pairs is known from there, and where that model did not
// normalise messages and this one does: what its weights say is then of other messages, and
// hardly anything (doc/results.md, "The graph over the spans").
func (c Config) goesOnWithSpans(from Config) bool {
	kinds := sameClasses(from.pairClasses(), c.pairClasses())
	return from.MessageNorm == c.MessageNorm && slices.ContainsFunc(kinds[1:], known)
}

// calledAs is the configuration with its corpus named as in another one, where it has
// one that it does not name (see Head): that which has all of its labels.
func (c Config) calledAs(other Config) Config {
	if c.Corpus != "" || len(c.More) > 0 {
		return c
	}
	lacks := func(of []string) func(string) bool {
		return func(label string) bool { return !slices.Contains(of, label) }
	}
	for _, h := range other.heads() {
		if !slices.ContainsFunc(c.EntityTypes, lacks(h.EntityTypes)) && !slices.ContainsFunc(c.RelationLabels, lacks(h.RelationLabels)) {
			c.Corpus = h.Corpus
			return c
		}
	}
	return c
}

// class is what a part of the weights of a layer is of: a label of a corpus, or a kind of
// pairs of the BiGCN.
type class struct{ corpus, label string }

// types and relations are the classes of all heads, none among them.
func (c Config) types() []class {
	return c.classes(func(h Head) []string { return h.EntityTypes })
}

func (c Config) relations() []class {
	return c.classes(func(h Head) []string { return h.RelationLabels })
}

func (c Config) classes(labels func(Head) []string) []class {
	var all []class
	for _, h := range c.heads() {
		for _, label := range labels(h) {
			all = append(all, class{h.Corpus, label})
		}
	}
	return all
}

// pairClasses are the kinds of pairs among which the BiGCN distinguishes, see pairKinds.
func (c Config) pairClasses() []class {
	if len(c.More) == 0 {
		return c.relations()
	}
	return []class{{label: "not related"}, {label: "related"}}
}

// classesAt are the classes that divide the last axis of the variable at a path into
// equal parts; nil where it has none.
func (c Config) classesAt(name string) []class {
	layer := path.Dir(name)
	switch of := path.Base(path.Dir(layer)); {
	case isMessage(name):
		return c.pairClasses()
	case path.Base(layer) == "output" && of == "type":
		return c.types()
	case path.Base(layer) == "output" && of == "relation":
		return c.relations()
	}
	return nil
}

// ofSpanGraph tells the weights of the BiGCN.
func ofSpanGraph(name string) bool { return strings.HasPrefix(name, "/bigcn/") }

// isMessage tells the layers of the BiGCN that have weights for each kind of pairs.
func isMessage(name string) bool {
	direction := path.Base(path.Dir(name))
	return ofSpanGraph(name) && (direction == "forward" || direction == "backward")
}

// sameClasses tells for each of the classes to where it is among from, −1: nowhere.
func sameClasses(from, to []class) []int {
	of := make([]int, len(to))
	for i, c := range to {
		of[i] = slices.Index(from, c)
	}
	return of
}

func known(at int) bool { return at >= 0 }

// howMany tells how many labels of a model another one knows, "3 of 4".
func howMany(from, to []class) string {
	all, n := 0, 0
	for i, at := range sameClasses(from, to) {
		if to[i].label == NoneLabel {
			continue
		}
		all++
		if known(at) {
			n++
		}
	}
	return fmt.Sprintf("%d of %d", n, all)
}

// regroup is a float32 tensor [..., classes·k] with other classes: those of, each by its
// place; what is of no class, −1, is 0. Where of is empty it is a copy.
func regroup(t *tensors.Tensor, of []int, classes int) (*tensors.Tensor, error) {
	if len(of) == 0 {
		return t.LocalClone()
	}
	flat, err := tensors.CopyFlatData[float32](t)
	if err != nil {
		return nil, err
	}
	dims := slices.Clone(t.Shape().Dimensions)
	last := len(dims) - 1
	size := dims[last] / classes
	var values []float32
	for row := range slices.Chunk(flat, dims[last]) {
		for _, at := range of {
			if known(at) {
				values = append(values, row[at*size:(at+1)*size]...)
			} else {
				values = append(values, make([]float32, size)...)
			}
		}
	}
	dims[last] = len(of) * size
	return tensors.FromFlatDataAndDimensions(values, dims...), nil
}
