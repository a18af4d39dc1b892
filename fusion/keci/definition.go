package keci

import (
	"bytes"
	"context"
	"encoding/gob"
	"fmt"
	"iter"
	"maps"
	"os"
	"slices"
	"sync"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // the graph operators read as formulas
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/fusion/compiled"
	"github.com/keci-kg/keci/internal/vectors"
)

// How many definitions are encoded at once. While training there are thousands.
// A document that is served has few that are new, and each is encoded alone: its
// vector, to the last bit, does not depend on the others.
const (
	servingDefinitions  = 1
	trainingDefinitions = 16
)

// maxDefinitions bounds the definitions that are remembered by a model in use: 20,000
// vectors of 384 take 31 MB. While training all are, since what an epoch was begun with
// must be there when it goes on.
const maxDefinitions = 20_000

// definition is what the model reads of a definition sentence.
type definition struct {
	Vector []float32 // [H] mean of the encoder's token vectors, [CLS] and [SEP] included
	Bag    []float32 // [H] mean of its word-piece vectors before the first layer, for knowledge-graph embeddings; nil without these
}

// definitions encodes definition sentences, each once. It is safe for
// concurrent use.
type definitions struct {
	cfg       Config
	tokenizer *encoder.Tokenizer
	exec      *model.Exec
	rows      int         // definitions encoded at once
	most      int         // how many are remembered; 0: all
	length    int         // word pieces of a row, [CLS] and [SEP] included
	calls     sync.Locker // held while exec runs: nothing may be compiled then
	mu        sync.Mutex
	known     map[string]*definition
	kept      *vectors.File // those on disk; nil: none
	unkept    sync.Once     // tells that they cannot be written
}

func newDefinitions(backend compute.Backend, store *model.Store, cfg Config, enc encoder.Config, t *encoder.Tokenizer, calls sync.Locker) (*definitions, error) {
	exec, err := model.NewExec(backend, store, func(root *model.Scope, ids, mask, words *Node) []*Node {
		store.SetTraining(ids.Graph(), true) // variables stay variables: no copy of the weights in the graph
		scope := root.At("encoder")
		means := []*Node{meanVector(encoder.BERT(scope, enc, ids, mask, 0), mask)}
		if cfg.has().kge {
			table := encoder.WordEmbeddings(scope, enc, ids.Graph())
			means = append(means, meanVector(encoder.GatherRows(table, ids), words))
		}
		return means
	})
	if err != nil {
		return nil, fmt.Errorf("build the encoder of definitions: %w", err)
	}
	exec.SetMaxCache(-1)
	return &definitions{
		cfg: cfg, tokenizer: t, exec: exec, rows: servingDefinitions, most: maxDefinitions, calls: calls, known: map[string]*definition{},
		length: min(cfg.Knowledge.DefinitionPieces+2, enc.MaxPositionEmbeddings),
	}, nil
}

// meanVector is the mean of the vectors that the mask [B, S] has, 0 of none:
// [B, S, H] → [B, H].
func meanVector(tokens, mask *Node) *Node {
	weight := InsertAxes(mask, -1)
	return Div(ReduceSum(Mul(tokens, weight), 1), MaxScalar(ReduceSum(weight, 1), 1))
}

// ensure gives every node of the instances its definition, which is encoded when
// it is not known yet. A variant without definitions needs none.
func (d *definitions) ensure(ctx context.Context, instances ...*instance) error {
	if !d.cfg.has().definitions {
		return nil
	}
	fresh, unknown := d.readKept(d.recall(instances))
	for chunk := range slices.Chunk(unknown, d.rows) {
		if err := ctx.Err(); err != nil {
			return err
		}
		encoded, err := d.encode(chunk)
		if err != nil {
			return fmt.Errorf("encode definitions: %w", err)
		}
		for i, text := range chunk {
			fresh[text] = encoded[i]
		}
	}
	d.keep(unknown, fresh)
	for n := range definedNodes(instances) {
		if defined := fresh[n.Definition]; defined != nil {
			n.defined = defined
		}
	}
	d.remember(fresh)
	return nil
}

// recall gives the nodes the definitions that are known, and lists those
// that are not, in the order of the instances. What a node was given stays with
// it, whatever is forgotten.
func (d *definitions) recall(instances []*instance) (unknown []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	seen := map[string]bool{}
	for n := range definedNodes(instances) {
		if defined := d.known[n.Definition]; defined != nil {
			n.defined = defined
		} else if !seen[n.Definition] {
			seen[n.Definition] = true
			unknown = append(unknown, n.Definition)
		}
	}
	return unknown
}

// remember adds definitions to those that are known; when these are too many for a
// model in use, they are forgotten.
func (d *definitions) remember(fresh map[string]*definition) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(fresh) > 0 && d.most > 0 && len(d.known) > d.most {
		d.known = map[string]*definition{}
	}
	maps.Copy(d.known, fresh)
}

// definedNodes are the nodes of the instances that have a definition.
func definedNodes(instances []*instance) iter.Seq[*node] {
	return func(yield func(*node) bool) {
		for _, in := range instances {
			if in.Graph == nil {
				continue
			}
			for i := range in.Graph.Nodes {
				if n := &in.Graph.Nodes[i]; n.Definition != "" && !yield(n) {
					return
				}
			}
		}
	}
}

// compile builds the graph, by way of an empty batch; it must come before any
// concurrent use. A variant without definitions needs none.
func (d *definitions) compile() error {
	if !d.cfg.has().definitions {
		return nil
	}
	_, err := d.encode(nil)
	return err
}

// encode encodes a batch of definitions, each cut to the configured number of
// pieces, or to those that the encoder reads at once.
func (d *definitions) encode(texts []string) ([]*definition, error) {
	length := d.length
	ids, mask, words := make([]int32, d.rows*length), make([]float32, d.rows*length), make([]float32, d.rows*length)
	for i := range d.rows {
		row := i * length
		ids[row], mask[row] = d.tokenizer.CLS(), 1
		if i >= len(texts) {
			continue
		}
		pieces := d.tokenizer.Tokenize(texts[i])
		pieces = pieces[:min(len(pieces), length-2)]
		for p := range pieces {
			ids[row+1+p], mask[row+1+p], words[row+1+p] = pieces[p].ID, 1, 1
		}
		ids[row+1+len(pieces)], mask[row+1+len(pieces)] = d.tokenizer.SEP(), 1
	}
	d.calls.Lock()
	outs, err := d.exec.Call(
		tensors.FromFlatDataAndDimensions(ids, d.rows, length),
		tensors.FromFlatDataAndDimensions(mask, d.rows, length),
		tensors.FromFlatDataAndDimensions(words, d.rows, length))
	d.calls.Unlock()
	if err != nil {
		return nil, err
	}
	defer compiled.Free(outs)
	encoded := make([]*definition, len(texts))
	for i := range encoded {
		encoded[i] = &definition{}
	}
	for o, out := range outs {
		flat, err := tensors.CopyFlatData[float32](out)
		if err != nil {
			return nil, err
		}
		width := len(flat) / d.rows
		for i, e := range encoded {
			row := flat[i*width : (i+1)*width]
			if o == 0 {
				e.Vector = row
			} else {
				e.Bag = row
			}
		}
	}
	return encoded, nil
}

// replace exchanges the definitions that are remembered and returns the old ones.
func (d *definitions) replace(known map[string]*definition) map[string]*definition {
	d.mu.Lock()
	defer d.mu.Unlock()
	old := d.known
	d.known = known
	return old
}

// save writes the definitions that are remembered.
func (d *definitions) save(path string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var data bytes.Buffer
	if err := gob.NewEncoder(&data).Encode(d.known); err != nil {
		return fmt.Errorf("save definitions: %w", err)
	}
	if err := os.WriteFile(path, data.Bytes(), 0o644); err != nil {
		return fmt.Errorf("save definitions: %w", err)
	}
	return nil
}

// load reads what save wrote, in the place of the definitions that are remembered.
func (d *definitions) load(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("load definitions: %w", err)
	}
	known := map[string]*definition{}
	if err := gob.NewDecoder(bytes.NewReader(data)).Decode(&known); err != nil {
		return fmt.Errorf("load definitions %s: %w", path, err)
	}
	d.replace(known)
	return nil
}
