package encoder

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // the graph operators read as formulas
	"github.com/gomlx/gomlx/ml/layers"
	"github.com/gomlx/gomlx/ml/layers/activation"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/model/initializer"
	"github.com/gomlx/gomlx/ml/nn"

	"github.com/gomlx/compute"
)

// Span is a run of word pieces that may be a mention: pieces First to Last, both
// included.
type Span struct{ First, Last int }

// Width is the number of pieces of the span.
func (s Span) Width() int { return s.Last - s.First + 1 }

// Spans enumerates every span of at most maxWidth pieces that begins at a
// starting piece and is followed by a starting piece or the end (KECI, Lai et
// al. 2021, §2.2), ordered by first piece and then by last.
func Spans(pieces []Piece, maxWidth int) []Span {
	var spans []Span
	for first := range pieces {
		if !pieces[first].Starting {
			continue
		}
		end := min(len(pieces), first+maxWidth)
		for last := first; last < end; last++ {
			if last+1 == len(pieces) || pieces[last+1].Starting {
				spans = append(spans, Span{first, last})
			}
		}
	}
	return spans
}

// SpanConfig holds the sizes of the span representation.
type SpanConfig struct {
	MaxWidth       int     `json:"maxWidth"`       // L, longest span in pieces
	WidthEmbedding int     `json:"widthEmbedding"` // size of φ(width)
	Hidden         int     `json:"hidden"`         // size of the hidden layer
	Size           int     `json:"size"`           // d, size of a span vector
	Dropout        float64 `json:"dropout"`        // rate after the hidden layer while training
}

// SpanInputs locates the spans of a batch of B texts of at most T pieces, N
// spans each (padded).
type SpanInputs struct {
	First *Node // int32 [B, N]: flat index b·T+t of the first piece
	Last  *Node // int32 [B, N]: flat index of the last piece
	Width *Node // int32 [B, N]: pieces − 1, in [0, MaxWidth)
	Bias  *Node // float32 [B, N, T]: 0 inside the span, a large negative number outside
}

// SpanVectors builds s_i = ReLU(W₂ ReLU(W₁ [x_start ; x_end ; x̂_i ; φ(width)]))
// of KECI, eq. 1, where x̂_i is the attention-weighted sum of the token vectors
// in the span. tokens is [B, T, H]; the result is [B, N, Size].
//
// W₁ is applied to tokens before they are gathered: the layer is linear, and
// there are many more spans than tokens.
func SpanVectors(scope *model.Scope, cfg SpanConfig, tokens *Node, in SpanInputs, dropout float64) *Node {
	dims := tokens.Shape().Dimensions
	batch, length, width := dims[0], dims[1], dims[2]
	flat := Reshape(tokens, batch*length, width)

	start := GatherRows(Linear(scope.At("start"), flat, cfg.Hidden), in.First)
	end := GatherRows(Linear(scope.At("end"), flat, cfg.Hidden), in.Last)
	phi := widthTerm(scope.At("width"), cfg, in.Width)

	score := Reshape(Dense(scope.At("head"), flat, 1), batch, 1, length)
	attention := Softmax(Add(in.Bias, score), -1) // [B, N, T]
	inner := Reshape(Linear(scope.At("inner"), flat, cfg.Hidden), batch, length, cfg.Hidden)
	hat := Einsum("bnt,bth->bnh", attention, inner)

	bias := scope.At("hidden").WithInitializer(initializer.Zero).
		VariableWithShape("biases", shapes.Make(dtypes.Float32, cfg.Hidden)).NodeValue(tokens)
	hidden := activation.Relu(Add(Add(Add(start, end), Add(hat, phi)), Reshape(bias, 1, 1, cfg.Hidden)))
	hidden = layers.DropoutStatic(scope, hidden, dropout)
	return Dense(scope.At("output"), hidden, cfg.Size, activation.TypeRelu)
}

// widthTerm is W₁'s share for the width embedding φ: [B, N] → [B, N, Hidden].
func widthTerm(scope *model.Scope, cfg SpanConfig, width *Node) *Node {
	table := scope.WithInitializer(initializer.RandomNormalFn(scope, 0.1)).
		VariableWithShape("embeddings", shapes.Make(dtypes.Float32, cfg.MaxWidth, cfg.WidthEmbedding)).NodeValue(width)
	return GatherRows(Linear(scope.At("projection"), table, cfg.Hidden), width)
}

// Dense is x·W + b with W stored [in, out] and Glorot initial values.
func Dense(scope *model.Scope, x *Node, out int, act ...activation.Type) *Node {
	w := weights(scope, x, out)
	b := scope.WithInitializer(initializer.Zero).
		VariableWithShape("biases", shapes.Make(dtypes.Float32, out)).NodeValue(x)
	return nn.Dense(x, w, b, compute.DenseLayoutInputOutputs, act...)
}

// Linear is x·W without a bias.
func Linear(scope *model.Scope, x *Node, out int) *Node {
	return nn.Dense(x, weights(scope, x, out), nil, compute.DenseLayoutInputOutputs)
}

func weights(scope *model.Scope, x *Node, out int) *Node {
	in := x.Shape().Dim(-1)
	return scope.WithInitializer(initializer.GlorotUniformFn(scope)).
		VariableWithShape("weights", shapes.Make(dtypes.Float32, in, out)).NodeValue(x)
}

// GatherRows selects rows of table [R, D] by indices [...]: the result is [..., D].
func GatherRows(table, indices *Node) *Node {
	return Gather(table, InsertAxes(indices, -1))
}
