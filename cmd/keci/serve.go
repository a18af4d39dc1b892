package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/keci-kg/keci/api"
)

type serveOptions struct {
	addr, data, model, engine, log string
	selection                      selectionFlags
	store                          storeFlags
	limits                         api.Limits
	cache                          api.CacheOptions
}

func newServeCommand() *cobra.Command {
	o := serveOptions{
		limits: api.DefaultLimits(),
		cache:  api.CacheOptions{TTL: 30 * 24 * time.Hour, MaxBytes: 1 << 30},
	}
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the REST interface and the web page",
		Long: `Serves the REST interface (described at /openapi.json) and, at /, a page to try it.
Documents that are submitted are kept in the data directory, with a cache of
answers, or with --store in Neo4j, which must hold the same knowledge base (see
keci load). Ctrl-C lets the requests that run finish.`,
		Example: `  keci serve --addr 127.0.0.1:8080
  curl -s localhost:8080/v1/extract -H 'content-type: application/json' \
    -d '{"text":"FKBP12 binds FK506 and rapamycin, and the complex inhibits calcineurin."}'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), cmd.ErrOrStderr()) },
	}
	f := cmd.Flags()
	f.StringVar(&o.addr, "addr", "127.0.0.1:8080", "`HOST:PORT` to listen on")
	f.StringVar(&o.data, "data", "", dataHelp)
	f.StringVar(&o.model, "model", "", "model `DIR` (default: the one in the program)")
	o.selection.register(f)
	f.StringVar(&o.store.address, "store", "", "keep documents in, and read concepts from, a "+storeHelp+" (default: --data)")
	o.store.registerPassword(f)
	f.StringVar(&o.engine, "engine", defaultEngine, "what computes")
	f.StringVar(&o.log, "log", "text", "form of the log: text or json")
	f.IntVar(&o.limits.TextBytes, "max-text-bytes", o.limits.TextBytes, "longest text of a document")
	f.Int64Var(&o.limits.BodyBytes, "max-body-bytes", o.limits.BodyBytes, "longest body of a request")
	f.DurationVar(&o.limits.Timeout, "timeout", o.limits.Timeout, "time for the extraction of a document, waiting included")
	f.IntVar(&o.limits.Concurrency, "concurrency", o.limits.Concurrency, "extractions at a time")
	f.DurationVar(&o.cache.TTL, "cache-ttl", o.cache.TTL, "time that an answer is kept (0: for ever)")
	f.Int64Var(&o.cache.MaxBytes, "max-cache-bytes", o.cache.MaxBytes, "size from which no more answers are kept (0: no bound)")
	return cmd
}

func (o serveOptions) check() error {
	switch {
	case o.limits.TextBytes < 1, o.limits.BodyBytes < 1, o.limits.Timeout <= 0, o.limits.Concurrency < 1:
		return usageError("--max-text-bytes, --max-body-bytes, --timeout and --concurrency must be more than 0")
	case o.cache.TTL < 0, o.cache.MaxBytes < 0:
		return usageError("--cache-ttl and --max-cache-bytes cannot be less than 0")
	case o.log != "text" && o.log != "json":
		return usageError("--log is %q: use text or json", o.log)
	}
	return nil
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

func (o serveOptions) logger(out io.Writer) *slog.Logger {
	if o.log == "json" {
		return slog.New(slog.NewJSONHandler(out, nil))
	}
	return slog.New(slog.NewTextHandler(out, nil))
}

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
	data, err := dataDir(o.data)
	if err != nil {
		return nil, closeAll, err
	}
	kb, err := o.selection.Open(ctx)
	if err != nil {
		return nil, closeAll, err
	}
	onClose("knowledge base", kb)
	extractor, err := openExtractor(o.model, kb, o.engine)
	if err != nil {
		return nil, closeAll, err
	}
	closers = append(closers, extractor.Close)
	store, err := o.store.open(ctx, data, kb)
	if err != nil {
		return nil, closeAll, err
	}
	onClose("documents", store)
	cache, err := api.OpenCache(filepath.Join(data, cacheFolder), o.cache)
	if err != nil {
		return nil, closeAll, err
	}
	onClose("cache", cache)
	server, err = api.New(ctx, api.Config{Extractor: extractor, Linker: kb.Linker, Store: store, Cache: cache,
		Limits: o.limits, Log: log, Version: version})
	return server, closeAll, err
}
