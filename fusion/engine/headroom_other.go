//go:build !goexperiment.simd || !amd64 || !linux

package engine

// makeHeadroom is needed for vector instructions alone; see headroom_linux.go.
func makeHeadroom() {}
