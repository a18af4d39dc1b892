package format_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/format"
)

// Whatever happens to a file, reading it ends, and what is read is a document.
func TestDamagedFiles(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, kind := range format.Inputs {
		if kind == format.Text || kind == format.Brat {
			continue
		}
		whole := write(t, kind, extracted())
		for range 1000 {
			damaged := damage(random, whole)
			count := 0
			for d, err := range format.ReadAnnotated(bytes.NewReader(damaged), kind) {
				if err == nil {
					_, err := d.WithOffsets(graph.OffsetByte)
					if err != nil {
						t.Errorf("%s: %v in\n%s", kind, err, damaged)
					}
				}
				if count++; count > 100 {
					t.Fatalf("%s: there is no end (%v) of\n%s", kind, err, damaged)
				}
			}
		}
	}
}

// damage changes, cuts off, repeats and removes some bytes.
func damage(random *rand.Rand, content []byte) []byte {
	content = slices.Clone(content)
	for range 1 + random.IntN(5) {
		if len(content) == 0 {
			break
		}
		at := random.IntN(len(content))
		switch random.IntN(5) {
		case 0:
			content[at] = byte(random.IntN(256))
		case 1:
			content[at] = "0123456789"[random.IntN(10)]
		case 2:
			content = content[:at]
		case 3:
			content = slices.Delete(content, at, min(len(content), at+random.IntN(9)))
		case 4:
			content = slices.Insert(content, at, content[at:min(len(content), at+random.IntN(30))]...)
		}
	}
	return content
}
