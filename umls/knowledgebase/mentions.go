package knowledgebase

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"sync"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/linker"
)

// longestText is the longest line that CountMentions reads, in bytes.
const longestText = 16 << 20

// CountMentions links texts, one a line, and counts for each concept the
// mentions that may denote it.
func CountMentions(ctx context.Context, names *linker.Linker, texts io.Reader) (map[graph.CUI]int, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var (
		lines   = make(chan string, 64)
		workers sync.WaitGroup
		mu      sync.Mutex
		total   = map[graph.CUI]int{}
	)
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			counts, err := countLines(ctx, names, lines)
			if err != nil {
				stop(err)
			}
			mu.Lock()
			defer mu.Unlock()
			for cui, n := range counts {
				total[cui] += n
			}
		})
	}
	err := sendLines(ctx, texts, lines)
	workers.Wait()
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("counting mentions: %w", err)
	}
	return total, nil
}

func countLines(ctx context.Context, names *linker.Linker, lines <-chan string) (map[graph.CUI]int, error) {
	counts := map[graph.CUI]int{}
	for text := range lines {
		mentions, err := names.Link(ctx, text)
		if err != nil {
			return nil, err
		}
		for _, mention := range mentions {
			for _, candidate := range mention.Concepts {
				counts[candidate.CUI]++
			}
		}
	}
	return counts, nil
}

// sendLines sends each line and closes the channel.
func sendLines(ctx context.Context, texts io.Reader, lines chan<- string) error {
	defer close(lines)
	scanner := bufio.NewScanner(texts)
	scanner.Buffer(nil, longestText)
	for scanner.Scan() {
		select {
		case lines <- scanner.Text():
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return scanner.Err()
}

// MostMentioned returns the n concepts with the highest counts; ties go by CUI.
func MostMentioned(counts map[graph.CUI]int, n int) map[graph.CUI]bool {
	cuis := slices.SortedFunc(maps.Keys(counts), func(a, b graph.CUI) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	most := make(map[graph.CUI]bool, n)
	for _, cui := range cuis[:min(n, len(cuis))] {
		most[cui] = true
	}
	return most
}
