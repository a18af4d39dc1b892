//go:build !goexperiment.simd

package main

// builtWithSIMD tells whether the engine uses the processor's vector instructions.
const builtWithSIMD = false
