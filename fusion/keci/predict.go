package keci

import (
	"context"
	"fmt"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/support/exceptions"
)

// compile builds the graph for the shapes of a batch without running it.
func (p *predictor) compile(b *batch, width int) error {
	return exceptions.TryCatch[error](func() {
		var shapes []any
		for _, t := range b.tensors(p.cfg, width) {
			shapes = append(shapes, t)
		}
		if _, err := p.exec.Call(shapes...); err != nil {
			panic(err)
		}
	})
}

// predict runs the network on a batch.
func (p *predictor) predict(ctx context.Context, b *batch, width int) (prediction, error) {
	if err := ctx.Err(); err != nil {
		return prediction{}, err
	}
	var args []any
	for _, t := range b.tensors(p.cfg, width) {
		args = append(args, t)
	}
	outs, err := p.exec.Call(args...)
	if err != nil {
		return prediction{}, fmt.Errorf("run the model: %w", err)
	}
	result := prediction{most: outs[0].Shape().Dim(1)}
	if result.kept, err = tensors.CopyFlatData[int32](outs[0]); err != nil {
		return prediction{}, fmt.Errorf("read the model's answer: %w", err)
	}
	into := []*[]float32{
		&result.initialTypes, &result.finalTypes,
		&result.initialRelations, &result.finalRelations, &result.attention,
	}
	for i, out := range outs[1:] {
		if *into[i], err = tensors.CopyFlatData[float32](out); err != nil {
			return prediction{}, fmt.Errorf("read the model's answer: %w", err)
		}
	}
	for _, out := range outs {
		out.MustFinalizeAll()
	}
	for _, t := range args {
		t.(*tensors.Tensor).MustFinalizeAll()
	}
	return result, nil
}
