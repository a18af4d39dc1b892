package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func newBenchCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "bench",
		Short:   "Measure speed and memory, as JSON with machine and versions",
		Example: "  keci bench extract abstracts.jsonl",
	}
	cmd.AddCommand(newBenchEncoderCommand(), newBenchExtractCommand(), newBenchLinkCommand(), newBenchServeCommand(), newBenchSubgraphCommand(), newBenchTrainCommand(), newBenchUMLSCommand())
	return cmd
}

// benchReport is what every benchmark prints.
type benchReport struct {
	Benchmark  string       `json:"benchmark"`
	Machine    benchMachine `json:"machine"`
	Versions   buildInfo    `json:"versions"`
	PeakMemory int64        `json:"peakMemoryBytes,omitempty"` // of the whole process, where the system tells it
	Results    any          `json:"results"`
}

// benchMachine is what figures depend on besides the program.
type benchMachine struct {
	Processor string `json:"processor,omitempty"` // where the system tells it
	CPUs      int    `json:"cpus"`
	Threads   int    `json:"threads"` // that Go may use at once
}

// writeBenchReport prints the results of a benchmark.
func writeBenchReport(w io.Writer, name string, results any) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(benchReport{
		Benchmark: name,
		Machine: benchMachine{
			Processor: procField("/proc/cpuinfo", "model name"),
			CPUs:      runtime.NumCPU(),
			Threads:   runtime.GOMAXPROCS(0),
		},
		Versions:   readBuildInfo(),
		PeakMemory: statusBytes("VmHWM"),
		Results:    results,
	})
}

// statusBytes is what the system tells about the memory of this process: VmHWM, the
// most that was resident, or VmRSS, what is. It is 0 where the system does not tell.
func statusBytes(field string) int64 {
	kilobytes, err := strconv.ParseInt(strings.TrimSuffix(procField("/proc/self/status", field), " kB"), 10, 64)
	if err != nil {
		return 0
	}
	return kilobytes << 10
}

// processorTime is what this process has used of all processors, to ten
// milliseconds, 0 where the system does not tell.
func processorTime() time.Duration {
	const ticksPerSecond = 100 // on every Linux
	content, err := os.ReadFile("/proc/self/stat")
	fields := strings.Fields(string(content[bytes.LastIndexByte(content, ')')+1:]))
	if err != nil || len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * time.Second / ticksPerSecond
}

// procField is the value of the first "name: value" line of a file of Linux's /proc, empty elsewhere.
func procField(path, name string) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if key, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// latency sums up repeated runs of one thing.
type latency struct {
	Runs     int     `json:"runs"`
	MedianMs float64 `json:"medianMs"`
	MinMs    float64 `json:"minMs"`
}

// summarize needs at least one time.
func summarize(times []time.Duration) latency {
	sorted := slices.Sorted(slices.Values(times))
	return latency{
		Runs:     len(sorted),
		MedianMs: milliseconds(sorted[len(sorted)/2]),
		MinMs:    milliseconds(sorted[0]),
	}
}

func milliseconds(d time.Duration) float64 {
	return float64(d.Round(10*time.Microsecond).Microseconds()) / 1000
}
