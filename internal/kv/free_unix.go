//go:build linux || darwin || freebsd

package kv

import "syscall"

// free is how many bytes the disk of a folder has room for.
func free(dir string) (uint64, error) {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(dir, &disk); err != nil {
		return 0, err
	}
	return uint64(disk.Bavail) * uint64(disk.Bsize), nil
}
