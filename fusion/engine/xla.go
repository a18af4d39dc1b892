//go:build xla && cgo

package engine

import (
	"fmt"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/go-xla/compute/xla"
	"github.com/gomlx/go-xla/pjrt"
)

const xlaBuiltIn = true

// oldestPJRT is the first minor version of the PJRT API, whose major version is 0,
// with which this was tested. A plugin also serves programs made for older ones.
const oldestPJRT = 81

// openXLA opens a PJRT plugin. On a GPU, products of matrices are computed in
// float32, as on the CPU, unless a setting says tf32.
func openXLA(plugin string, settings []string) (compute.Backend, error) {
	loaded, err := pjrt.GetPlugin(plugin)
	if err != nil {
		return nil, err
	}
	if major, minor := loaded.Version(); major != 0 || minor < oldestPJRT {
		return nil, fmt.Errorf("%s speaks version %d.%d of the PJRT API, and 0.%d or a later 0.x is needed; %s", plugin, major, minor, oldestPJRT, libraries[XLA].get)
	}
	if !has(settings, "tf32", "notf32") {
		settings = append(settings, "tf32=false")
	}
	return xla.New(strings.Join(append([]string{plugin}, settings...), ","))
}
