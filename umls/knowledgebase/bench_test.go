package knowledgebase

import (
	"bufio"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/gzip"

	"github.com/keci-kg/keci/graph"
)

// openLarge opens the knowledge base folder that KECI_BENCH_KB names.
func openLarge(b *testing.B) (string, *KnowledgeBase) {
	b.Helper()
	dir := os.Getenv("KECI_BENCH_KB")
	if dir == "" {
		b.Skip("KECI_BENCH_KB does not name a knowledge base folder")
	}
	kb, err := Open(b.Context(), dir)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { kb.Close() })
	return dir, kb
}

func BenchmarkOpen(b *testing.B) {
	dir, _ := openLarge(b)
	for b.Loop() {
		kb, err := Open(b.Context(), dir)
		if err != nil {
			b.Fatal(err)
		}
		kb.Close()
	}
}

// BenchmarkSubgraph reads the background knowledge graph of 150 concepts that
// real texts name.
func BenchmarkSubgraph(b *testing.B) {
	_, kb := openLarge(b)
	requests := linkedConcepts(b, kb, 150)
	for n := 0; b.Loop(); n++ {
		if _, err := kb.Knowledge.Subgraph(b.Context(), requests[n%len(requests)]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSearch(b *testing.B) {
	_, kb := openLarge(b)
	for _, query := range []string{"protein", "mTOR complex", "a"} {
		b.Run(query, func(b *testing.B) {
			for b.Loop() {
				if _, err := kb.Knowledge.Search(b.Context(), query, 10); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// linkedConcepts are the distinct concepts of running text, size at a time.
func linkedConcepts(b *testing.B, kb *KnowledgeBase, size int) (requests [][]graph.CUI) {
	b.Helper()
	file, err := os.Open(sharedData(b, filepath.Join("text", "abstracts.txt.gz")))
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	unpacked, err := gzip.NewReader(file)
	if err != nil {
		b.Fatal(err)
	}
	lines := bufio.NewScanner(unpacked)
	seen := map[graph.CUI]bool{}
	for len(requests) < 50 && lines.Scan() {
		mentions, err := kb.Linker.Link(b.Context(), lines.Text())
		if err != nil {
			b.Fatal(err)
		}
		for _, m := range mentions {
			for _, c := range m.Concepts {
				seen[c.CUI] = true
			}
		}
		if len(seen) >= size {
			var cuis []graph.CUI
			for cui := range seen {
				cuis = append(cuis, cui)
			}
			requests = append(requests, cuis[:size])
			clear(seen)
		}
	}
	return requests
}
