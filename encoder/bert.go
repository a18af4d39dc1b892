package encoder

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/layers"
	"github.com/gomlx/gomlx/ml/layers/activation"
	"github.com/gomlx/gomlx/ml/layers/attention"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/model/initializer"
	"github.com/gomlx/gomlx/ml/nn"
	"github.com/gomlx/gomlx/support/exceptions"
)

// initialStddev is that of weights which were not loaded, as in the original BERT.
const initialStddev = 0.02

// BERT builds the encoder of Devlin et al. (2019): ids of word pieces and mask, both [batch, seq], to vectors
// [batch, seq, hidden] of the last layer, float32. The mask, of any type, is 1 (true) where there is a piece
// and 0 on padding. Both axes may be dynamic; seq is at most cfg.MaxPositionEmbeddings, which a graph with
// static axes enforces.
//
// The variables live in scope; [LoadWeights] fills them. Names ending in "biases", "gain" or "offset" are
// those that weight decay usually spares.
//
// dropout is the rate at training time, after the embeddings and after both halves of each layer. Attention
// weights are not dropped: that would give up the fused attention.
func BERT(scope *model.Scope, cfg Config, ids, mask *Node, dropout float64) *Node {
	if seq := ids.Shape().Dimensions[1]; seq > cfg.MaxPositionEmbeddings {
		exceptions.Panicf("encoder: %d pieces in a row, the encoder reads at most %d", seq, cfg.MaxPositionEmbeddings)
	}
	bias := AttentionBias(mask)
	x := embed(scope.At("embeddings"), cfg, ids)
	x = layers.DropoutStatic(scope, x, dropout)
	for i := range cfg.NumHiddenLayers {
		x = Layer(scope.At("layer_%d", i), cfg, x, x, bias, dropout)
	}
	return x
}

// WordEmbeddings is the table of word-piece embeddings, [vocabulary, hidden].
func WordEmbeddings(scope *model.Scope, cfg Config, g *Graph) *Node {
	return table(scope.At("embeddings"), "word", cfg.VocabSize, cfg.HiddenSize, g)
}

// embed sums the embeddings of piece, position and segment; the segment is always the first.
func embed(scope *model.Scope, cfg Config, ids *Node) *Node {
	g := ids.Graph()
	ids = ExpandAxes(ConvertDType(ids, dtypes.Int32), -1) // [batch, seq, 1]
	positions := DynamicIota(g, dtypes.Int32, 1, DimensionSpecFor(ids, 0), DimensionSpecFor(ids, 1), StaticDim(1))
	x := Gather(table(scope, "word", cfg.VocabSize, cfg.HiddenSize, g), ids)
	x = Add(x, Gather(table(scope, "position", cfg.MaxPositionEmbeddings, cfg.HiddenSize, g), positions))
	segment := Slice(table(scope, "token_type", cfg.TypeVocabSize, cfg.HiddenSize, g), AxisElem(0))
	x = Add(x, ExpandAxes(segment, 0))
	return layerNorm(scope, cfg, x)
}

// AttentionBias is what is added to the attention scores: 0 where mask [batch, seq] is 1, −10⁹ where it is 0;
// [batch, 1, 1, seq].
func AttentionBias(mask *Node) *Node {
	padding := OneMinus(ConvertDType(mask, dtypes.Float32))
	return ExpandAxes(MulScalar(padding, -1e9), 1, 2)
}

// Layer is one transformer layer over x, [batch, seq, hidden]: attention to memory, [batch, other, hidden], and a
// feed-forward network, each with a residual connection and a normalization after it. In BERT memory is x itself.
// bias is the AttentionBias of memory. Of cfg it reads HiddenSize, NumAttentionHeads, IntermediateSize,
// HiddenAct and LayerNormEps.
func Layer(scope *model.Scope, cfg Config, x, memory, bias *Node, dropout float64) *Node {
	attended := layers.DropoutStatic(scope, attend(scope.At("attention"), cfg, x, memory, bias), dropout)
	x = layerNorm(scope.At("attention"), cfg, Add(x, attended))
	hidden := dense(scope.At("inner"), x, cfg.IntermediateSize, activations[cfg.HiddenAct])
	out := layers.DropoutStatic(scope, dense(scope.At("outer"), hidden, cfg.HiddenSize, activation.TypeNone), dropout)
	return layerNorm(scope.At("outer"), cfg, Add(x, out))
}

// attend is multi-head scaled dot-product attention of x, [batch, seq, hidden], to memory, [batch, other, hidden].
func attend(scope *model.Scope, cfg Config, x, memory, bias *Node) *Node {
	heads := func(name string, of *Node) *Node {
		projected := dense(scope.At("%s", name), of, cfg.HiddenSize, activation.TypeNone)
		return DynamicReshape(projected, DimensionSpecFor(of, 0), DimensionSpecFor(of, 1),
			StaticDim(cfg.NumAttentionHeads), StaticDim(cfg.HiddenSize/cfg.NumAttentionHeads))
	}
	out, _ := attention.Core(heads("query", x), heads("key", memory), heads("value", memory), attention.LayoutBSHD,
		attention.CoreOptions{AttentionMask: bias})
	out = DynamicReshape(out, DimensionSpecFor(x, 0), DimensionSpecFor(x, 1), StaticDim(cfg.HiddenSize))
	return dense(scope.At("output"), out, cfg.HiddenSize, activation.TypeNone)
}

func dense(scope *model.Scope, x *Node, out int, act activation.Type) *Node {
	in := x.Shape().Dim(-1)
	weights := scope.WithInitializer(initializer.RandomNormalFn(scope, initialStddev)).
		VariableWithShape("weights", shapes.Make(dtypes.Float32, in, out)).NodeValue(x)
	biases := scope.WithInitializer(initializer.Zero).
		VariableWithShape("biases", shapes.Make(dtypes.Float32, out)).NodeValue(x)
	return nn.Dense(x, weights, biases, compute.DenseLayoutInputOutputs, act)
}

func layerNorm(scope *model.Scope, cfg Config, x *Node) *Node {
	shape := shapes.Make(dtypes.Float32, cfg.HiddenSize)
	gain := scope.WithInitializer(initializer.One).VariableWithShape("gain", shape).NodeValue(x)
	offset := scope.WithInitializer(initializer.Zero).VariableWithShape("offset", shape).NodeValue(x)
	return nn.LayerNorm(x, []int{-1}, cfg.LayerNormEps, gain, offset, nil)
}

func table(scope *model.Scope, name string, rows, columns int, g *Graph) *Node {
	return scope.WithInitializer(initializer.RandomNormalFn(scope, initialStddev)).
		VariableWithShape(name, shapes.Make(dtypes.Float32, rows, columns)).NodeValue(g)
}

// variable is a weight of BERT: its path under the scope of the graph, and what Hugging Face calls it.
type variable struct {
	path       string
	name       string // tensor of model.safetensors, without the "bert." of some files
	dims       []int  // in the graph
	transposed bool   // the file has [out, in], the graph [in, out]
}

// variables lists the weights of a BERT of this shape, in the order of the data flow.
func variables(cfg Config) []variable {
	h, inner := cfg.HiddenSize, cfg.IntermediateSize
	list := []variable{
		{path: "embeddings/word", name: "embeddings.word_embeddings.weight", dims: []int{cfg.VocabSize, h}},
		{path: "embeddings/position", name: "embeddings.position_embeddings.weight", dims: []int{cfg.MaxPositionEmbeddings, h}},
		{path: "embeddings/token_type", name: "embeddings.token_type_embeddings.weight", dims: []int{cfg.TypeVocabSize, h}},
	}
	norm := func(path, name string) {
		list = append(list,
			variable{path: path + "/gain", name: name + ".LayerNorm.weight", dims: []int{h}},
			variable{path: path + "/offset", name: name + ".LayerNorm.bias", dims: []int{h}})
	}
	dense := func(path, name string, in, out int) {
		list = append(list,
			variable{path: path + "/weights", name: name + ".weight", dims: []int{in, out}, transposed: true},
			variable{path: path + "/biases", name: name + ".bias", dims: []int{out}})
	}
	norm("embeddings", "embeddings")
	for i := range cfg.NumHiddenLayers {
		path, name := fmt.Sprintf("layer_%d", i), fmt.Sprintf("encoder.layer.%d", i)
		dense(path+"/attention/query", name+".attention.self.query", h, h)
		dense(path+"/attention/key", name+".attention.self.key", h, h)
		dense(path+"/attention/value", name+".attention.self.value", h, h)
		dense(path+"/attention/output", name+".attention.output.dense", h, h)
		norm(path+"/attention", name+".attention.output")
		dense(path+"/inner", name+".intermediate.dense", h, inner)
		dense(path+"/outer", name+".output.dense", inner, h)
		norm(path+"/outer", name+".output")
	}
	return list
}
