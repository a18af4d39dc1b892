//go:build goexperiment.simd && amd64

package engine

import (
	"runtime"
	"runtime/debug"
	"sync"
	"syscall"
)

// headroom is more than what the program keeps alive when it serves, in bytes.
const headroom = 1 << 30

// makeHeadroom keeps the numbers of models away from the end of the heap's memory.
//
// Go 1.27.4 loads the last few numbers of a slice by reading a whole
// vector and zeroing what is too much (simd/archsimd, the functions Load…Part,
// which the Go engine uses everywhere). Behind a slice there mostly is other
// memory of the heap, but behind its last page there is none yet, and the process
// ends with "fatal error: fault". So the heap is made to grow once by what is
// given back at once: addresses, hardly any memory. The runtime fills the lowest
// free addresses first, and comes near the end only when as much as this is alive.
//
// It grows twice: what others allocate while the first growth is alive lies behind it, at
// the end, and processors may go on there for a while. What they allocate during the second
// one, which is larger and so lies behind all that, finds the place of the first.
//
// It does nothing where the system would not let the heap grow.
var makeHeadroom = sync.OnceFunc(func() {
	const more = headroom + headroom/16
	probe, err := syscall.Mmap(-1, 0, headroom+more, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil || syscall.Munmap(probe) != nil {
		return
	}
	runtime.KeepAlive(make([]byte, headroom))
	debug.FreeOSMemory()
	runtime.KeepAlive(make([]byte, more))
	debug.FreeOSMemory()
})
