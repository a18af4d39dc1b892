package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/keci-kg/keci/api"
	"github.com/keci-kg/keci/api/jobs"
	"github.com/keci-kg/keci/fusion/engine"
)

type serveOptions struct {
	addr, data, model, engine string
	log, logLevel, traces     string
	tokenFile                 string
	origins, proxies          []string
	selection                 selectionFlags
	store                     storeFlags
	limits                    api.Limits
	cache                     api.CacheOptions
	jobs                      jobs.Options
}

func newServeCommand() *cobra.Command {
	o := serveOptions{
		limits: api.DefaultLimits(),
		cache:  api.CacheOptions{TTL: 30 * 24 * time.Hour, MaxBytes: 1 << 30},
		jobs:   jobs.DefaultOptions(),
	}
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the REST interface and the web page",
		Long: `Serves the REST interface (described at /openapi.json, to be tried at /docs) and, at
/, a page. Documents that are submitted are kept in the data directory, with jobs
and a cache of answers, or with --store in Neo4j, which must hold the same knowledge
base (see keci load). Ctrl-C lets the requests and documents that are worked on
finish; jobs go on after the next start.

Without --auth-token-file whoever reaches the address may do everything. The file
has a line NAME read|write TOKEN for each client, which sends Authorization: Bearer
TOKEN; read is enough for all that stores nothing. A file that is changed is read
anew.`,
		Example: `  keci serve --addr 127.0.0.1:8080
  curl -s localhost:8080/v1/extract -H 'content-type: application/json' \
    -d '{"text":"FKBP12 binds FK506 and rapamycin, and the complex inhibits calcineurin."}'`,
		Args: exactArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.log = logForm(cmd.Root())
			return o.run(cmd.Context(), unlogged(cmd))
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.addr, "addr", "127.0.0.1:8080", "`HOST:PORT` to listen on")
	f.StringVar(&o.data, "data", "", dataHelp)
	f.StringVar(&o.model, "model", "", "model `DIR` (default: the one in the program)")
	o.selection.register(f)
	f.StringVar(&o.store.address, "store", "", "keep documents in, and read concepts from, a "+storeHelp+" (default: --data)")
	o.store.registerPassword(f)
	engineFlag(f, &o.engine)
	f.StringVar(&o.logLevel, "log-level", "info", "least that is logged: debug, info, warn or error")
	f.StringVar(&o.traces, "otlp-endpoint", "", "`URL` of an OpenTelemetry collector that gets traces, such as http://localhost:4318 (default: none are made)")
	f.StringVar(&o.tokenFile, "auth-token-file", "", "`FILE` with the tokens of clients (default: none is asked for)")
	f.StringSliceVar(&o.origins, "cors-origin", nil, "`ORIGIN` of other sites whose pages may use the server, such as https://example.org; * for all")
	f.StringSliceVar(&o.proxies, "trusted-proxy", nil, "`NETWORK` of proxies that tell the addresses of clients by X-Forwarded-For, such as 10.0.0.0/8")
	f.IntVar(&o.limits.TextBytes, "max-text-bytes", o.limits.TextBytes, "longest text of a document")
	f.Int64Var(&o.limits.BodyBytes, "max-body-bytes", o.limits.BodyBytes, "longest body of a request")
	f.Int64Var(&o.limits.BatchBytes, "max-batch-bytes", o.limits.BatchBytes, "longest body of a batch")
	f.IntVar(&o.limits.BatchDocuments, "max-batch-documents", o.limits.BatchDocuments, "most documents of a batch")
	f.DurationVar(&o.limits.Timeout, "timeout", o.limits.Timeout, "time for the extraction of a document, waiting included")
	f.DurationVar(&o.limits.StoreTimeout, "store-timeout", o.limits.StoreTimeout, "time for what a request asks of the store")
	f.IntVar(&o.limits.Concurrency, "concurrency", o.limits.Concurrency, "extractions at a time")
	f.IntVar(&o.limits.Waiting, "max-waiting", o.limits.Waiting, "texts of one client that wait for their turn")
	f.Float64Var(&o.limits.Rate, "rate", o.limits.Rate, "requests of one client in a second (0: no limit)")
	f.IntVar(&o.limits.Burst, "burst", o.limits.Burst, "requests of one client at once, before --rate counts")
	f.IntVar(&o.jobs.Unfinished, "max-jobs", o.jobs.Unfinished, "jobs of one client that are not done")
	f.IntVar(&o.jobs.Running, "running-jobs", o.jobs.Running, "jobs of one client that are worked on at a time")
	f.DurationVar(&o.jobs.Keep, "keep-jobs", o.jobs.Keep, "time that a job is kept after its end (0: for ever)")
	f.DurationVar(&o.cache.TTL, "cache-ttl", o.cache.TTL, "time that an answer is kept (0: for ever)")
	f.Int64Var(&o.cache.MaxBytes, "max-cache-bytes", o.cache.MaxBytes, "size from which no more answers are kept (0: no bound)")
	return cmd
}

func (o serveOptions) check() error {
	positive := map[string]int64{
		"max-text-bytes": int64(o.limits.TextBytes), "max-body-bytes": o.limits.BodyBytes, "max-batch-bytes": o.limits.BatchBytes,
		"max-batch-documents": int64(o.limits.BatchDocuments), "timeout": int64(o.limits.Timeout), "store-timeout": int64(o.limits.StoreTimeout), "concurrency": int64(o.limits.Concurrency),
		"max-waiting": int64(o.limits.Waiting), "burst": int64(o.limits.Burst), "max-jobs": int64(o.jobs.Unfinished), "running-jobs": int64(o.jobs.Running),
	}
	for _, flag := range slices.Sorted(maps.Keys(positive)) {
		if positive[flag] < 1 {
			return usageError("--%s must be more than 0", flag)
		}
	}
	switch {
	case o.cache.TTL < 0, o.cache.MaxBytes < 0, o.limits.Rate < 0, o.jobs.Keep < 0:
		return usageError("--cache-ttl, --max-cache-bytes, --rate and --keep-jobs cannot be less than 0")
	}
	if _, err := o.level(); err != nil {
		return usageError("--log-level is %q: use debug, info, warn or error", o.logLevel)
	}
	if o.store.address != "" {
		return o.selection.checkStore()
	}
	return nil
}

func (o serveOptions) level() (level slog.Level, err error) {
	return level, level.UnmarshalText([]byte(o.logLevel))
}

func (o serveOptions) run(ctx context.Context, stderr io.Writer) error {
	if err := o.check(); err != nil {
		return err
	}
	started, log := time.Now(), o.logger(stderr)
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.addr)
	if err != nil {
		return fmt.Errorf("listening (choose another place with --addr): %w", err)
	}
	defer listener.Close()
	server, closeAll, err := o.open(ctx, log)
	defer closeAll()
	if err != nil {
		return err
	}
	log.Info("ready", "url", "http://"+listener.Addr().String()+"/", "after", time.Since(started).Round(time.Millisecond))
	return server.Serve(ctx, listener)
}

// logger makes the log; the level has been checked.
func (o serveOptions) logger(out io.Writer) *slog.Logger {
	level, _ := o.level()
	options := &slog.HandlerOptions{Level: level}
	if o.log == "json" {
		return slog.New(slog.NewJSONHandler(out, options))
	}
	return slog.New(slog.NewTextHandler(out, options))
}

// clients reads who may use the server, and from where.
func (o serveOptions) clients(config *api.Config) error {
	config.Origins = o.origins
	for _, origin := range o.origins {
		if parsed, err := url.Parse(origin); origin != "*" && (err != nil || parsed.Scheme == "" || parsed.Host == "" || parsed.Path != "") {
			return usageError("--cors-origin: %q is no origin such as https://example.org", origin)
		}
	}
	for _, proxy := range o.proxies {
		_, network, err := net.ParseCIDR(proxy)
		if err != nil {
			return usageError("--trusted-proxy: %w", err)
		}
		config.Proxies = append(config.Proxies, network)
	}
	if o.tokenFile == "" {
		return nil
	}
	tokens, err := api.ReadTokens(o.tokenFile)
	config.Tokens = tokens
	return err
}

// program names what decides on an answer besides the model and the knowledge base:
// the program, by its digest, and the engine with its settings, since no two compute
// the very same numbers.
func (o serveOptions) program() (string, error) {
	computes, err := engine.Parse(o.engine)
	if err != nil {
		return "", usageError("--engine: %w", err)
	}
	digest, err := programDigest()
	if err != nil {
		return "", err
	}
	return digest + " " + computes.String(), nil
}

// closerFunc is a function as an io.Closer.
type closerFunc func() error

func (f closerFunc) Close() error { return f() }

// open opens what the server needs. closeAll closes what was opened, also when
// not all could be.
func (o serveOptions) open(ctx context.Context, log *slog.Logger) (server *api.Server, closeAll func(), err error) {
	var closers []func()
	closeAll = func() {
		for i := len(closers) - 1; i >= 0; i-- {
			closers[i]()
		}
	}
	onClose := func(what string, closer io.Closer) {
		closers = append(closers, func() {
			if err := closer.Close(); err != nil {
				log.Error("closing the "+what, "error", err)
			}
		})
	}
	config := api.Config{Limits: o.limits, Log: log, Version: version}
	if err := o.clients(&config); err != nil {
		return nil, closeAll, err
	}
	if o.traces != "" {
		traces, err := openTraces(ctx, o.traces, log)
		if err != nil {
			return nil, closeAll, err
		}
		onClose("traces", closerFunc(func() error { return sendLast(ctx, traces) }))
		config.Traces = traces
	}
	if config.Program, err = o.program(); err != nil {
		return nil, closeAll, err
	}
	data, err := dataDir(o.data)
	if err != nil {
		return nil, closeAll, err
	}
	kb, err := o.selection.Open(ctx)
	if err != nil {
		return nil, closeAll, err
	}
	onClose("knowledge base", kb)
	config.Linker = kb.Linker
	extractor, err := openExtractor(o.model, kb, o.engine)
	if err != nil {
		return nil, closeAll, err
	}
	closers = append(closers, extractor.Close)
	config.Extractor = extractor.Extractor
	if config.Store, err = o.store.open(ctx, data, &o.selection, kb); err != nil {
		return nil, closeAll, err
	}
	onClose("documents", config.Store)
	if config.Cache, err = api.OpenCache(filepath.Join(data, cacheFolder), o.cache); err != nil {
		return nil, closeAll, err
	}
	onClose("cache", config.Cache)
	o.jobs.Log = log
	if config.Jobs, err = jobs.Open(filepath.Join(data, jobsFolder), o.jobs); err != nil {
		return nil, closeAll, err
	}
	onClose("jobs", config.Jobs)
	server, err = api.New(ctx, config)
	return server, closeAll, err
}
