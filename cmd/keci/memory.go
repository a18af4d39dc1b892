package main

import (
	"log/slog"
	"os"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// servingMemory is a soft limit on the memory of a process that extracts. A model of
// this size is alive in 200 MB; what the engine has freed would wait for the collector
// far beyond.
const servingMemory = 700 << 20

// limitServingMemory sets it, unless GOMEMLIMIT says another.
func limitServingMemory() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(servingMemory)
	}
}

// trainingShare is what a training may take of the memory of the machine, or of the
// group of processes that it is in. Of five corpora 3.3 to 5.4 GB are alive: near a
// limit the collector takes most of the time.
const trainingShare = 0.7

// limitTrainingMemory sets a soft limit, unless GOMEMLIMIT says another. Where nobody
// knows how much memory there is, there is none.
func limitTrainingMemory() {
	_, err := memlimit.Set(memlimit.WithRatio(trainingShare), memlimit.WithProvider(memlimit.ApplyFallback(memlimit.FromCgroup, memlimit.FromSystem)))
	if err != nil {
		slog.Debug("no limit on memory", "error", err)
	}
}
