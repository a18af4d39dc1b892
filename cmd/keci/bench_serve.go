package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/time/rate"
)

type benchServeOptions struct {
	url, tokenFile string
	rate           float64
	duration       time.Duration
	connections    int
}

// serveResult is how a server answered. Latencies count from the moment at which a
// request was due, so that a server that stalls is charged for those that it holds up.
type serveResult struct {
	URL               string         `json:"url"`
	Documents         int            `json:"documents"`
	RequestsPerSecond float64        `json:"requestsPerSecond"` // wanted
	Answered          float64        `json:"answeredPerSecond"`
	Requests          int            `json:"requests"`
	Statuses          map[string]int `json:"statuses"`
	Cached            int            `json:"cached"`
	P50Ms             float64        `json:"p50Ms"`
	P90Ms             float64        `json:"p90Ms"`
	P99Ms             float64        `json:"p99Ms"`
	MaxMs             float64        `json:"maxMs"`
}

func newBenchServeCommand() *cobra.Command {
	o := benchServeOptions{}
	cmd := &cobra.Command{
		Use:   "serve FILE…",
		Short: "How a server that runs answers at a rate of requests",
		Long: `Asks a server to extract from the documents of the files (.jsonl: one a line; any
other file: the text of one), each once so that it knows them, then all over again
at a fixed rate. Latencies count from the moment at which a request was due.`,
		Example: "  keci bench serve --rate 500 abstracts.jsonl",
		Args:    minimumArgs(1),
		RunE:    func(cmd *cobra.Command, files []string) error { return o.run(cmd, files) },
	}
	f := cmd.Flags()
	f.StringVar(&o.url, "url", "http://127.0.0.1:8080", "address of the server")
	f.StringVar(&o.tokenFile, "token-file", "", "`FILE` with the token to send (default: none)")
	f.Float64Var(&o.rate, "rate", 500, "requests per second")
	f.DurationVar(&o.duration, "duration", 20*time.Second, "how long to ask")
	f.IntVar(&o.connections, "connections", 16, "connections to the server")
	return cmd
}

func (o benchServeOptions) run(cmd *cobra.Command, files []string) error {
	if o.rate <= 0 || o.duration <= 0 || o.connections < 1 {
		return usageError("--rate, --duration and --connections must be more than 0")
	}
	documents, err := readDocuments(files)
	if err != nil {
		return err
	}
	load := serveLoad{target: strings.TrimSuffix(o.url, "/") + "/v1/extract", client: &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: o.connections, MaxConnsPerHost: o.connections},
	}}
	defer load.client.CloseIdleConnections()
	if o.tokenFile != "" {
		token, err := os.ReadFile(o.tokenFile)
		if err != nil {
			return fmt.Errorf("reading the token: %w", err)
		}
		load.token = strings.TrimSpace(string(token))
	}
	for _, doc := range documents {
		body, err := json.Marshal(map[string]string{"text": doc.Text})
		if err != nil {
			return err
		}
		load.bodies = append(load.bodies, body)
	}
	if err := load.warm(cmd.Context()); err != nil {
		return err
	}
	result := load.ask(cmd.Context(), o)
	result.URL, result.Documents, result.RequestsPerSecond = load.target, len(documents), o.rate
	return errors.Join(cmd.Context().Err(), writeBenchReport(cmd.OutOrStdout(), "serve", result))
}

// serveLoad sends requests and keeps what came of them.
type serveLoad struct {
	target, token string
	client        *http.Client
	bodies        [][]byte

	mutex    sync.Mutex
	times    []time.Duration
	statuses map[string]int
	cached   int
}

// warm sends every document once.
func (l *serveLoad) warm(ctx context.Context) error {
	for i := range l.bodies {
		status, _, err := l.send(ctx, i)
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("the server answers with status %d", status)
		}
		if err != nil {
			return fmt.Errorf("asking %s for document %d: %w", l.target, i+1, err)
		}
	}
	return nil
}

// ask sends requests at the rate, whether those before are answered or not.
func (l *serveLoad) ask(ctx context.Context, o benchServeOptions) serveResult {
	l.statuses = map[string]int{}
	ctx, cancel := context.WithTimeout(ctx, o.duration)
	defer cancel()
	var requests sync.WaitGroup
	limiter := rate.NewLimiter(rate.Limit(o.rate), 1)
	started := time.Now()
	for i := 0; limiter.Wait(ctx) == nil; i++ {
		due := started.Add(time.Duration(float64(i) / o.rate * float64(time.Second)))
		requests.Go(func() { l.note(context.WithoutCancel(ctx), i%len(l.bodies), due) })
	}
	requests.Wait()
	return l.sum(time.Since(started))
}

// note sends a request and notes the answer.
func (l *serveLoad) note(ctx context.Context, document int, due time.Time) {
	status, cache, err := l.send(ctx, document)
	took := time.Since(due)
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if err != nil {
		l.statuses["none"]++
		return
	}
	l.times = append(l.times, took)
	l.statuses[fmt.Sprint(status)]++
	if cache == "hit" {
		l.cached++
	}
}

func (l *serveLoad) send(ctx context.Context, document int) (status int, cache string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, l.target, bytes.NewReader(l.bodies[document]))
	if err != nil {
		return 0, "", err
	}
	request.Header.Set("Content-Type", "application/json")
	if l.token != "" {
		request.Header.Set("Authorization", "Bearer "+l.token)
	}
	answer, err := l.client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return 0, "", err
	}
	return answer.StatusCode, answer.Header.Get("X-Cache"), nil
}

// sum sums up what was noted.
func (l *serveLoad) sum(took time.Duration) serveResult {
	slices.Sort(l.times)
	quantile := func(per1000 int) float64 {
		if len(l.times) == 0 {
			return 0
		}
		return milliseconds(l.times[min(len(l.times)-1, len(l.times)*per1000/1000)])
	}
	requests := 0
	for _, count := range l.statuses {
		requests += count
	}
	return serveResult{
		Requests: requests, Answered: float64(len(l.times)) / took.Seconds(), Statuses: l.statuses, Cached: l.cached,
		P50Ms: quantile(500), P90Ms: quantile(900), P99Ms: quantile(990), MaxMs: quantile(1000),
	}
}
