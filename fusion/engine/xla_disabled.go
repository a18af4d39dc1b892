//go:build !xla || !cgo

package engine

import (
	"errors"

	"github.com/gomlx/compute"
)

const xlaBuiltIn = false

func openXLA(string, []string) (compute.Backend, error) { return nil, errors.ErrUnsupported }
