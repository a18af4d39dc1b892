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
	"time"

	"github.com/spf13/cobra"

	"github.com/keci-kg/keci/linker"
)

type benchLinkOptions struct {
	kb    string
	limit int
}

// linkResult is what linking all texts, one after another on one core, took.
type linkResult struct {
	OpenMs         float64 `json:"openMs"` // the whole knowledge base, the checksums of its store included
	Texts          int     `json:"texts"`
	Bytes          int     `json:"bytes"`
	Mentions       int     `json:"mentions"`
	Final          int     `json:"final"` // mentions of the final mapping
	Candidates     int     `json:"candidates"`
	Seconds        float64 `json:"seconds"`
	TextsPerSecond float64 `json:"textsPerSecond"`
	MedianMs       float64 `json:"medianMs"`
	P99Ms          float64 `json:"p99Ms"`
	AllocsPerText  float64 `json:"allocsPerText"`
	AllocatedBytes float64 `json:"allocatedBytesPerText"`
}

func newBenchLinkCommand() *cobra.Command {
	var o benchLinkOptions
	cmd := &cobra.Command{
		Use:   "link FILE…",
		Short: "Speed of the linker over texts, one a line",
		Long: `Links every line of the files, plain or gzipped (.gz), one after another on one
core, and counts time, mentions, candidates and allocations.`,
		Example: "  keci bench link abstracts.txt.gz",
		Args:    cobra.MinimumNArgs(1),
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
	start := time.Now()
	kb, err := openKnowledgeBase(cmd.Context(), o.kb)
	if err != nil {
		return err
	}
	defer kb.Close()
	result := linkResult{OpenMs: milliseconds(time.Since(start))}
	if err := result.measure(cmd.Context(), kb.Linker, texts); err != nil {
		return err
	}
	return writeBenchReport(cmd.OutOrStdout(), "link", result)
}

// measure links all texts.
func (r *linkResult) measure(ctx context.Context, l *linker.Linker, texts []string) error {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	times := make([]time.Duration, 0, len(texts))
	begin := time.Now()
	for _, text := range texts {
		start := time.Now()
		mentions, err := l.Link(ctx, text)
		if err != nil {
			return err
		}
		times = append(times, time.Since(start))
		r.Bytes += len(text)
		r.Mentions += len(mentions)
		for _, m := range mentions {
			r.Candidates += len(m.Concepts)
			if m.Final {
				r.Final++
			}
		}
	}
	r.Seconds = time.Since(begin).Seconds()
	runtime.ReadMemStats(&after)
	r.Texts = len(texts)
	r.TextsPerSecond = float64(r.Texts) / r.Seconds
	r.MedianMs = summarize(times).MedianMs
	r.P99Ms = milliseconds(slices.Sorted(slices.Values(times))[len(times)*99/100])
	r.AllocsPerText = float64(after.Mallocs-before.Mallocs) / float64(r.Texts)
	r.AllocatedBytes = float64(after.TotalAlloc-before.TotalAlloc) / float64(r.Texts)
	return nil
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
