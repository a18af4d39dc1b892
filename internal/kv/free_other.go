//go:build !(linux || darwin || freebsd)

package kv

import "math"

// free is not known on this system.
func free(string) (uint64, error) { return math.MaxUint64, nil }
