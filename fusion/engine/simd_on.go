//go:build goexperiment.simd

package engine

// builtWithSIMD tells whether the Go engine uses the processor's vector instructions.
const builtWithSIMD = true
