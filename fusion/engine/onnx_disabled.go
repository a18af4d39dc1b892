//go:build !onnx || !cgo

package engine

import (
	"errors"

	"github.com/gomlx/compute"
)

const onnxBuiltIn = false

func openONNX(string, []string, Work) (compute.Backend, error) { return nil, errors.ErrUnsupported }
