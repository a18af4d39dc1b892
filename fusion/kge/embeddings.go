package kge

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/internal/tensorfile"
)

// FileName is what the file of embeddings is called in a knowledge base folder.
const FileName = "embeddings.safetensors"

// Report tells what was learned, and how well.
type Report struct {
	Method    string          `json:"method"`
	Concepts  int             `json:"concepts"`            // with a relation
	Triples   int             `json:"triples"`             // learned, inverses and semantic types included
	HeldOut   LinkPrediction  `json:"heldOut"`             // relations that were held out, between concepts with others
	Unseen    LinkPrediction  `json:"unseen"`              // relations of concepts that were held out whole, as all of another knowledge base are
	OwnVector *LinkPrediction `json:"ownVector,omitempty"` // HeldOut, where each concept has a vector of its own
	Options   Options         `json:"options"`
}

// Method names what Learn does.
const Method = "ComplEx with vectors predicted from name, semantic types and definition (BLP)"

// Embeddings are the vectors of relations, and the function that gives those of
// concepts and semantic types: see [Vectors].
type Embeddings struct {
	Size          int
	SemanticTypes []graph.TUI // that the function knows, in the order of its columns
	Relations     []string    // in the order of their vectors
	Encoder       string      // Texts.Digest of the word-piece vectors that it reads
	KnowledgeBase graph.Provenance
	Report        Report

	weights map[string]weight // by path under Scope
}

type weight struct {
	shape  []int
	values []float32
}

// Learn learns embeddings of a knowledge base and measures them on relations that
// it holds out. With own, it also learns a vector for each concept, to compare
// with: what prediction costs, or gains.
func Learn(ctx context.Context, backend compute.Backend, facts *Facts, texts Texts, o Options, own bool, progress Progress) (*Embeddings, error) {
	if err := o.Validate(); err != nil {
		return nil, fmt.Errorf("options of the embeddings: %w", err)
	}
	s := facts.divide(o.HeldOut, rand.New(rand.NewPCG(uint64(o.Seed), 0)))
	if len(s.heldOut) == 0 || len(s.unseen) == 0 {
		return nil, fmt.Errorf("the knowledge base has too few relations to hold out %g of them: raise the share", o.HeldOut)
	}
	e := &Embeddings{
		Size: o.Size, SemanticTypes: facts.types, Relations: facts.relations, Encoder: texts.Digest(),
		Report: Report{Method: Method, Concepts: facts.concepts, Triples: len(s.learned), Options: o},
	}
	d := newDescriber(facts, texts)
	l := newLearner(backend, facts, d, o, false)
	var err error
	e.Report.HeldOut, e.Report.Unseen, err = l.learnAndAsk(ctx, s, "predicted vectors", progress)
	if err != nil {
		return nil, err
	}
	if e.weights, err = l.weights(); err != nil {
		return nil, err
	}
	if own {
		asked, _, err := newLearner(backend, facts, d, o, true).learnAndAsk(ctx, s, "own vectors", progress)
		if err != nil {
			return nil, err
		}
		e.Report.OwnVector = &asked
	}
	return e, nil
}

// learnAndAsk learns, and asks for what was held out.
func (l *learner) learnAndAsk(ctx context.Context, s split, name string, progress Progress) (heldOut, unseen LinkPrediction, err error) {
	if err := l.run(ctx, s.learned, func(done int, loss float64) { progress.Step(name, done, l.o.Steps, loss) }); err != nil {
		return heldOut, unseen, fmt.Errorf("learn %s: %w", name, err)
	}
	vectors, err := l.all(ctx)
	if err != nil {
		return heldOut, unseen, err
	}
	r := ranking{backend: l.backend, size: l.o.Size, entities: vectors, known: l.facts.triples}
	if r.relations, err = tensors.CopyFlatData[float32](l.store.GetVariable(scopePath + relationsWeight).MustValue()); err != nil {
		return heldOut, unseen, err
	}
	sample := func(list []triple) []triple {
		list = slices.Clone(list)
		rand.New(rand.NewPCG(uint64(l.o.Seed), 2)).Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		return list[:min(len(list), l.o.Queries)]
	}
	if heldOut, err = r.ask(ctx, sample(s.heldOut)); err != nil {
		return heldOut, unseen, err
	}
	unseen, err = r.ask(ctx, sample(s.unseen))
	return heldOut, unseen, err
}

// weights are the variables that were learned.
func (l *learner) weights() (map[string]weight, error) {
	list := map[string]weight{}
	for v := range l.store.IterVariables() {
		if path, ok := strings.CutPrefix(v.Path(), scopePath); ok {
			value, err := v.Value()
			if err != nil {
				return nil, fmt.Errorf("variable %s: %w", v.Path(), err)
			}
			flat, err := tensors.CopyFlatData[float32](value)
			if err != nil {
				return nil, fmt.Errorf("variable %s: %w", v.Path(), err)
			}
			list[path] = weight{slices.Clone(v.Shape().Dimensions), flat}
		}
	}
	return list, nil
}

// scopePath begins the paths of the variables.
const scopePath = "/" + Scope + "/"

// relationsWeight is the tensor with the vectors of the relations.
const relationsWeight = "relations"

// Install puts the variables of [Vectors] into a store, under Scope.
func (e *Embeddings) Install(store *model.Store) error {
	for path, w := range e.weights {
		if path == relationsWeight {
			continue
		}
		v, err := store.CreateVariable(scopePath+path, tensors.FromFlatDataAndDimensions(slices.Clone(w.values), w.shape...))
		if err != nil {
			return fmt.Errorf("embeddings: %w", err)
		}
		v.SetTrainable(false)
	}
	return nil
}

// Digest tells one table of word-piece vectors from another.
func (t Texts) Digest() string {
	sum := sha256.New()
	row := make([]byte, 0, 4*t.Width)
	for values := range slices.Chunk(t.Pieces, t.Width) {
		row = row[:0]
		for _, x := range values {
			row = binary.LittleEndian.AppendUint32(row, math.Float32bits(x))
		}
		sum.Write(row)
	}
	return "sha256:" + hex.EncodeToString(sum.Sum(nil))
}

// description is what a file says of its embeddings.
type description struct {
	Size          int              `json:"size"`
	SemanticTypes []graph.TUI      `json:"semanticTypes"`
	Relations     []string         `json:"relations"`
	Encoder       string           `json:"encoder"`
	KnowledgeBase graph.Provenance `json:"knowledgeBase"`
	Report        Report           `json:"report"`
}

// descriptionKey is where the metadata of a file has its description.
const descriptionKey = "keci"

// Save writes the file, all or nothing, with matrices of 8 bits.
func (e *Embeddings) Save(path string) error {
	text, err := json.Marshal(description{e.Size, e.SemanticTypes, e.Relations, e.Encoder, e.KnowledgeBase, e.Report})
	if err != nil {
		return fmt.Errorf("save embeddings: %w", err)
	}
	var list []tensorfile.Tensor
	for name, w := range e.weights {
		if len(w.shape) == 2 {
			list = append(list, tensorfile.Quantized(name, w.shape, w.values)...)
		} else {
			list = append(list, tensorfile.Float32(name, w.shape, w.values))
		}
	}
	slices.SortFunc(list, func(a, b tensorfile.Tensor) int { return strings.Compare(a.Name, b.Name) })
	next := path + ".next"
	defer os.Remove(next)
	if err := tensorfile.CreateDescribed(next, list, map[string]string{descriptionKey: string(text)}); err != nil {
		return fmt.Errorf("save embeddings: %w", err)
	}
	return os.Rename(next, path)
}

// ErrNone is returned, wrapped, by Open when there is no such file.
var ErrNone = errors.New("there are no embeddings (keci kb embed makes them)")

// Open reads what Save wrote; the error names the file.
func Open(path string) (*Embeddings, error) {
	file, err := tensorfile.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", path, ErrNone)
	}
	if err != nil {
		return nil, fmt.Errorf("open embeddings: %w", err)
	}
	defer file.Close()
	var d description
	if err := json.Unmarshal([]byte(file.Metadata(descriptionKey)), &d); err != nil {
		return nil, fmt.Errorf("open embeddings %s: its description: %w (make it again with keci kb embed)", path, err)
	}
	e := &Embeddings{d.Size, d.SemanticTypes, d.Relations, d.Encoder, d.KnowledgeBase, d.Report, map[string]weight{}}
	for _, name := range file.Names() {
		if strings.HasSuffix(name, tensorfile.ScaleSuffix) {
			continue
		}
		values, shape, err := file.Floats(name)
		if err != nil {
			return nil, fmt.Errorf("open embeddings %s: tensor %s: %w", path, name, err)
		}
		e.weights[name] = weight{shape, values}
	}
	if err := e.check(); err != nil {
		return nil, fmt.Errorf("open embeddings %s: %w (make it again with keci kb embed)", path, err)
	}
	return e, nil
}

// check compares the shapes with the description.
func (e *Embeddings) check() error {
	width := 0
	if w := e.weights["name/weights"]; len(w.shape) == 2 {
		width = w.shape[0]
	}
	for name, want := range map[string][]int{
		"name/weights":       {width, hiddenSize},
		"name/biases":        {hiddenSize},
		"definition/weights": {width, hiddenSize},
		"types/weights":      {len(e.SemanticTypes) + 1, hiddenSize},
		"output/weights":     {hiddenSize, e.Size},
		"output/biases":      {e.Size},
		relationsWeight:      {len(e.Relations), e.Size},
	} {
		if w, ok := e.weights[name]; !ok || !slices.Equal(w.shape, want) {
			return fmt.Errorf("tensor %s has shape %v, want %v", name, w.shape, want)
		}
	}
	return nil
}
