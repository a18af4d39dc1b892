package main

import (
	"bufio"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/linker"
)

type benchLinkOptions struct {
	kb    string
	limit int
}

// linkResult is what opening a knowledge base and linking all texts took.
type linkResult struct {
	DictionaryMs  float64  `json:"dictionaryMs,omitempty"` // opening the dictionary alone, of a folder that was named
	OpenMs        float64  `json:"openMs"`                 // opening all of it, the checksums of its store included
	Texts         int      `json:"texts"`
	Bytes         int      `json:"bytes"`
	Mentions      int      `json:"mentions"`
	Final         int      `json:"final"` // mentions of the final mapping
	Candidates    int      `json:"candidates"`
	OneCore       linkPass `json:"oneCore"`
	AllCores      linkPass `json:"allCores"`
	ResidentBytes int64    `json:"residentBytes,omitempty"` // after linking, the texts included
}

// linkPass is one pass over all texts. On a machine that others use as well, the
// seconds of the processor tell more than those of the clock.
type linkPass struct {
	Cores             int     `json:"cores"`
	Seconds           float64 `json:"seconds"`
	CPUSeconds        float64 `json:"cpuSeconds,omitempty"`
	TextsPerSecond    float64 `json:"textsPerSecond"`
	TextsPerCPUSecond float64 `json:"textsPerCPUSecond,omitempty"`
	MedianMs          float64 `json:"medianMs"`
	P99Ms             float64 `json:"p99Ms"`
	AllocsPerText     float64 `json:"allocsPerText"`
	AllocatedBytes    float64 `json:"allocatedBytesPerText"`
}

func newBenchLinkCommand() *cobra.Command {
	var o benchLinkOptions
	cmd := &cobra.Command{
		Use:   "link FILE…",
		Short: "Speed of the linker over texts, one a line",
		Long: `Links every line of the files, plain or gzipped (.gz), one after another on one
core, then on all at once, and tells time, allocations, mentions, candidates,
resident memory and how long opening took.`,
		Example: "  keci bench link abstracts.txt.gz",
		Args:    minimumArgs(1),
		RunE:    func(cmd *cobra.Command, paths []string) error { return o.run(cmd, paths) },
	}
	f := cmd.Flags()
	f.StringVar(&o.kb, "kb", "", "knowledge base `DIR` (default: the one in the program)")
	f.IntVar(&o.limit, "limit", 0, "link only the first N texts (default: all)")
	return cmd
}

func (o benchLinkOptions) run(cmd *cobra.Command, paths []string) error {
	if o.limit < 0 {
		return usageError("--limit is %d: use 0 for all, or more", o.limit)
	}
	var texts []string
	for _, path := range paths {
		lines, err := readLines(path)
		if err != nil {
			return err
		}
		texts = append(texts, lines...)
	}
	if o.limit > 0 {
		texts = texts[:min(o.limit, len(texts))]
	}
	if len(texts) == 0 {
		return usageError("the files hold no text")
	}
	var result linkResult
	if o.kb != "" {
		if err := result.openDictionary(o.kb); err != nil {
			return err
		}
	}
	start := time.Now()
	kb, err := openKnowledgeBase(cmd.Context(), o.kb)
	if err != nil {
		return err
	}
	defer kb.Close()
	result.OpenMs = milliseconds(time.Since(start))
	if err := result.measure(cmd.Context(), kb.Linker, texts); err != nil {
		return err
	}
	return writeBenchReport(cmd.OutOrStdout(), "link", result)
}

// openDictionary opens the dictionary of a folder.
func (r *linkResult) openDictionary(dir string) error {
	start := time.Now()
	l, err := linker.Open(dir)
	if err != nil {
		return err
	}
	r.DictionaryMs = milliseconds(time.Since(start))
	return l.Close()
}

// measure links all texts, on one core and on all.
func (r *linkResult) measure(ctx context.Context, l *linker.Linker, texts []string) (err error) {
	r.Texts = len(texts)
	count := func(mentions []graph.Mention) {
		r.Mentions += len(mentions)
		for _, m := range mentions {
			r.Candidates += len(m.Concepts)
			if m.Final {
				r.Final++
			}
		}
	}
	for _, text := range texts {
		r.Bytes += len(text)
	}
	cores := runtime.GOMAXPROCS(1)
	r.OneCore, err = linkAll(ctx, l, texts, 1, count)
	runtime.GOMAXPROCS(cores)
	if err != nil {
		return err
	}
	if r.AllCores, err = linkAll(ctx, l, texts, cores, func([]graph.Mention) {}); err != nil {
		return err
	}
	r.ResidentBytes = statusBytes("VmRSS")
	return nil
}

// linkAll links all texts with so many workers, and gives do what each text has.
func linkAll(ctx context.Context, l *linker.Linker, texts []string, workers int, do func([]graph.Mention)) (p linkPass, err error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	processor := processorTime()
	begin := time.Now()
	times := make([]time.Duration, len(texts))
	var next atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for range workers {
		group.Go(func() error {
			for i := next.Add(1) - 1; i < int64(len(texts)); i = next.Add(1) - 1 {
				start := time.Now()
				mentions, err := l.Link(ctx, texts[i])
				if err != nil {
					return err
				}
				times[i] = time.Since(start)
				do(mentions)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return p, err
	}
	p.Cores, p.Seconds = workers, time.Since(begin).Seconds()
	n := float64(len(texts))
	p.TextsPerSecond = n / p.Seconds
	if p.CPUSeconds = (processorTime() - processor).Seconds(); p.CPUSeconds > 0 {
		p.TextsPerCPUSecond = n / p.CPUSeconds
	}
	runtime.ReadMemStats(&after)
	p.MedianMs = summarize(times).MedianMs
	p.P99Ms = milliseconds(slices.Sorted(slices.Values(times))[len(times)*99/100])
	p.AllocsPerText = float64(after.Mallocs-before.Mallocs) / n
	p.AllocatedBytes = float64(after.TotalAlloc-before.TotalAlloc) / n
	return p, nil
}

// readLines reads the lines of a file that are not empty, gzipped when its name ends in .gz.
func readLines(path string) (lines []string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read texts: %w", err)
	}
	defer f.Close()
	var content io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if content, err = gzip.NewReader(f); err != nil {
			return nil, fmt.Errorf("read texts: %s: %w", path, err)
		}
	}
	scanner := bufio.NewScanner(content)
	scanner.Buffer(nil, 64<<20)
	for scanner.Scan() {
		if scanner.Text() != "" {
			lines = append(lines, scanner.Text())
		}
	}
	if err := scanner.Err(); err != nil {
		return nil, fmt.Errorf("read texts: %s: %w", path, err)
	}
	return lines, nil
}
