package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/fusion/engine"
)

// encoderShapes are the inputs that are measured; the time of 8×64 in PyTorch is the unit T of this project.
var encoderShapes = []struct{ batch, seq int }{{1, 32}, {1, 64}, {8, 64}, {32, 64}, {1, 512}}

const (
	benchWarmUps = 3 // runs before the clock starts: the engine compiles in the first
	benchMinRuns = 5
)

type benchEncoderOptions struct {
	encoder string
	engine  string
	atLeast time.Duration
}

// encoderResult is the forward time of one shape.
type encoderResult struct {
	Batch int `json:"batch"`
	Seq   int `json:"seq"`
	latency
	PiecesPerSecond float64 `json:"piecesPerSecond"`
}

func newBenchEncoderCommand() *cobra.Command {
	var o benchEncoderOptions
	cmd := &cobra.Command{
		Use:   "encoder",
		Short: "Time of the encoder's forward pass for some shapes of input",
		Example: "  keci bench encoder --encoder encoders/minilm-l6\n" +
			"  python3 scripts/bench_torch.py encoders/minilm-l6   # the same in PyTorch",
		Args: exactArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.encoder, "encoder", "", "Hugging Face folder `DIR` of the encoder")
	engineFlag(flags, &o.engine)
	flags.DurationVar(&o.atLeast, "time", 3*time.Second, "measure each shape for at least this `DURATION`")
	return cmd
}

func (o *benchEncoderOptions) run(cmd *cobra.Command) error {
	if o.encoder == "" {
		return usageError("--encoder is missing: name a folder, scripts/fetch-encoder.sh gets one")
	}
	backend, err := openEngine(o.engine, engine.Batches)
	if err != nil {
		return err
	}
	defer backend.Finalize()
	bert, err := encoder.Open(backend, o.encoder)
	if err != nil {
		return err
	}
	var results []encoderResult
	for _, shape := range encoderShapes {
		if shape.seq > bert.Config.MaxPositionEmbeddings {
			continue
		}
		times, err := o.measure(cmd.Context(), bert, encoderInput(shape.batch, shape.seq, bert.Config.VocabSize))
		if err != nil {
			return fmt.Errorf("measure %d×%d: %w", shape.batch, shape.seq, err)
		}
		result := encoderResult{Batch: shape.batch, Seq: shape.seq, latency: summarize(times)}
		result.PiecesPerSecond = float64(shape.batch*shape.seq) / (result.MedianMs / 1000)
		results = append(results, result)
	}
	return writeBenchReport(cmd.OutOrStdout(), "encoder", results)
}

// encoderInput is full rows of ids, all different as far as the vocabulary goes.
func encoderInput(batch, seq, vocabulary int) [][]int32 {
	rows := make([][]int32, batch)
	for r := range rows {
		rows[r] = make([]int32, seq)
		for c := range rows[r] {
			rows[r][c] = int32((1000 + r*seq + c) % vocabulary)
		}
	}
	return rows
}

// measure runs the encoder for a while and returns the time of each run.
func (o *benchEncoderOptions) measure(ctx context.Context, bert *encoder.Encoder, rows [][]int32) ([]time.Duration, error) {
	for range benchWarmUps {
		if _, err := bert.Forward(rows); err != nil {
			return nil, err
		}
	}
	var times []time.Duration
	for begin := time.Now(); time.Since(begin) < o.atLeast || len(times) < benchMinRuns; {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		start := time.Now()
		if _, err := bert.Forward(rows); err != nil {
			return nil, err
		}
		times = append(times, time.Since(start))
	}
	return times, nil
}
