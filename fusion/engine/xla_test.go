//go:build xla && cgo

package engine

import "testing"

// brokenPlugins are files that look like PJRT plugins from outside.
var brokenPlugins = map[string]struct{ source, want string }{
	"gives nothing": {"void *GetPjrtApi(void) { return 0; }", "broke off"},
	"old": {`#include <stddef.h>
		typedef struct { size_t size; void *next; int major, minor; } version;
		typedef struct { size_t size; void *next; version version; void *functions[200]; } api;
		static void *nothing_wrong(void *args) { return 0; }
		static api old = {sizeof(api), 0, {sizeof(version), 0, 0, 40}};
		void *GetPjrtApi(void) {
			for (int i = 0; i < 200; i++) old.functions[i] = (void *)nothing_wrong;
			return &old;
		}`, "version 0.40 of the PJRT API"},
}

func TestBrokenPlugins(t *testing.T) {
	for name, test := range brokenPlugins {
		t.Run(name, func(t *testing.T) {
			path := sharedLibrary(t, test.source, "")
			e, err := Parse("xla:" + path)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := e.Open(Batches); !mentions(err, path, test.want, "doc/gpu.md") {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}
