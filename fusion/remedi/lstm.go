package remedi

import (
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // the graph operators read as formulas
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/model/initializer"

	"github.com/keci-kg/keci/encoder"
)

// biLSTM is a bidirectional LSTM (Hochreiter and Schmidhuber 1997; Schuster and
// Paliwal 1997) over x [B, T, F]: [B, T, 2·size], forward and backward states side
// by side. mask [B, T] is 1 for a piece; padding has the state 0, so that the
// backward direction begins at the end of each text.
//
// Steps are unrolled, as in GoMLX's own layer. That one makes some eighty nodes
// for a step, each of which is small, and its slices have a gradient that grows
// with the square of T; this one makes some thirty.
func biLSTM(scope *model.Scope, x, mask *Node, size int) *Node {
	steps := TransposeAllAxes(x, 1, 0, 2)                   // [T, B, F]
	masks := inSteps(ExpandAxes(Transpose(mask, 0, 1), -1)) // T × [B, 1]
	forward := lstm(scope.At("forward"), inSteps(gates(scope.At("forward"), steps, size)), masks, size)
	reversed := inSteps(gates(scope.At("backward"), steps, size))
	slices.Reverse(reversed)
	slices.Reverse(masks)
	backward := lstm(scope.At("backward"), reversed, masks, size)
	slices.Reverse(backward)
	states := Concatenate([]*Node{Stack(forward, 0), Stack(backward, 0)}, -1)
	return TransposeAllAxes(states, 1, 0, 2)
}

// gates is what the inputs add to the four gates of all steps: [T, B, 4·size].
func gates(scope *model.Scope, x *Node, size int) *Node {
	return encoder.Dense(scope.At("input"), x, 4*size)
}

// inSteps cuts x [T, …] into T parts. It halves x again and again: the gradient of
// a part is as large as what it was cut from.
func inSteps(x *Node) []*Node {
	n := x.Shape().Dim(0)
	if n == 1 {
		return []*Node{Reshape(x, x.Shape().Dimensions[1:]...)}
	}
	first, second := SliceAxis(x, 0, AxisRange(0, n/2)), SliceAxis(x, 0, AxisRange(n/2))
	return append(inSteps(first), inSteps(second)...)
}

// lstm runs over steps of gate inputs [B, 4·size], of input, forget, output and
// cell, and gives the hidden state [B, size] after each. With z = W x + U h + b:
// c' = σ(z_f)·c + σ(z_i)·tanh(z_c), h' = σ(z_o)·tanh(c'), both 0 where mask is.
func lstm(scope *model.Scope, steps, masks []*Node, size int) []*Node {
	g := steps[0].Graph()
	recurrent := scope.At("recurrent").WithInitializer(initializer.GlorotUniformFn(scope)).
		VariableWithShape("weights", shapes.Make(dtypes.Float32, size, 4*size)).NodeValue(g)
	states := make([]*Node, len(steps))
	var hidden, cell *Node
	for i, z := range steps {
		if i > 0 {
			z = Add(z, MatMul(hidden, recurrent))
		}
		open := Sigmoid(SliceAxis(z, 1, AxisRange(0, 3*size)))
		input, forget, output := SliceAxis(open, 1, AxisRange(0, size)), SliceAxis(open, 1, AxisRange(size, 2*size)), SliceAxis(open, 1, AxisRange(2*size))
		next := Mul(input, Tanh(SliceAxis(z, 1, AxisRange(3*size))))
		if i > 0 {
			next = Add(next, Mul(forget, cell))
		}
		cell = Mul(next, masks[i])
		hidden = Mul(output, Tanh(cell))
		states[i] = hidden
	}
	return states
}
