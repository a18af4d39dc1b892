// Package api is the service: a REST interface to extraction, linking, the
// knowledge base and the stored documents, and a web page to try them.
//
// Every call is a huma operation, which gives the OpenAPI description, the
// validation and the problems of the interface; Echo routes and serves.
package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/singleflight"

	"github.com/keci-kg/keci/api/jobs"
	"github.com/keci-kg/keci/api/turns"
	"github.com/keci-kg/keci/fusion"
	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/internal/kv"
)

// Linker finds the mentions of a text with their candidate concepts. It is safe
// for concurrent use.
type Linker interface {
	// Link returns the mentions of text with byte offsets, in order of the text.
	Link(ctx context.Context, text string) ([]graph.Mention, error)
}

// Config is what a Server needs. All fields without a remark are required.
type Config struct {
	Extractor fusion.Extractor
	Linker    Linker
	Store     graph.Store
	Jobs      *jobs.Queue  // not started; the server starts and stops it
	Cache     *Cache       // nil: every answer is worked out
	Tokens    *Tokens      // nil: everyone may do everything
	Origins   []string     // other sites whose pages may use the server; "*" is all
	Proxies   []*net.IPNet // whose word on the address of a client is taken
	Limits    Limits
	Log       *slog.Logger         // never gets texts; nil: slog.Default()
	Traces    trace.TracerProvider // nil: none are made
	Version   string               // of the program, for the OpenAPI description
	// Program names the program, by its digest, and the engine with its settings:
	// answers that another program has put into the cache, or this one on another
	// engine, are not taken out.
	Program string
}

// Server serves the REST interface and the page. It is an http.Handler.
type Server struct {
	Config
	echo    *echo.Echo
	handler http.Handler // echo, its answers compressed
	model   fusion.ModelInfo
	kb      graph.KnowledgeBaseInfo
	turns   *turns.Queue       // a place is held during an extraction
	flights singleflight.Group // equal questions asked at a time are worked out once
	works   sync.WaitGroup     // what is being worked out
	metrics metrics
	tracer  trace.Tracer

	stopping atomic.Bool
	onlyHere atomic.Bool // nobody reaches the listener but from this machine
}

// New makes a server; it asks the extractor and the store what they are, and
// goes on with the jobs that were not done.
func New(ctx context.Context, config Config) (*Server, error) {
	if config.Log == nil {
		config.Log = slog.Default()
	}
	if err := config.Limits.check(); err != nil {
		return nil, err
	}
	kb, err := config.Store.Info(ctx)
	if err != nil {
		return nil, fmt.Errorf("asking what the knowledge base is: %w", err)
	}
	s := &Server{
		Config: config,
		echo:   echo.New(),
		model:  config.Extractor.Info(),
		kb:     kb,
		turns:  turns.New(config.Limits.Concurrency),
		tracer: newTracer(config.Traces),
	}
	s.metrics = s.newMetrics()
	if s.handler, err = compressed(s.echo); err != nil {
		return nil, err
	}
	s.route()
	s.Jobs.Start(config.Limits.Concurrency, s.workOnTask)
	return s, nil
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Stop ends the streams that are open, begins no more documents of jobs and waits
// for what is being worked out; jobs are broken off when ctx ends. They go on after
// the next start.
func (s *Server) Stop(ctx context.Context) {
	s.stopJobs(ctx)
	s.finishWorks(ctx)
}

func (s *Server) stopJobs(ctx context.Context) {
	s.stopping.Store(true)
	s.Jobs.Stop(ctx)
}

// finishWorks waits for what is being worked out, which may go on when the request
// for it has ended. No request must begin any more.
func (s *Server) finishWorks(ctx context.Context) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.works.Wait()
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// Serve answers on listener until ctx ends; then it lets the requests and the
// documents of jobs that are worked on finish, as long as the time limit of a
// request.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	if at, ok := listener.Addr().(*net.TCPAddr); ok {
		s.onlyHere.Store(at.IP.IsLoopback())
	}
	server := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		WriteTimeout:      s.Limits.Timeout + time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.Log.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	var failed error
	select {
	case err := <-served:
		failed = fmt.Errorf("serving on %s: %w", listener.Addr(), err)
	case <-ctx.Done():
		s.Log.Info("stopping when the requests that run are done")
	}
	finish, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.Limits.Timeout)
	defer cancel()
	var group errgroup.Group
	group.Go(func() error { s.stopJobs(finish); return nil })
	group.Go(func() error { return server.Shutdown(finish) })
	err := group.Wait()
	s.finishWorks(finish) // a request that was still being read may have begun it
	if err != nil {
		return errors.Join(failed, fmt.Errorf("stopping with requests unfinished: %w", err), server.Close())
	}
	return failed
}

func (s *Server) route() {
	s.echo.HTTPErrorHandler = s.writeProblem
	s.echo.IPExtractor = s.address()
	s.echo.Use(
		middleware.RequestIDWithConfig(middleware.RequestIDConfig{RequestIDHandler: rememberRequestID}),
		s.identify,
		s.measure,
		s.traceRequest,
		middleware.RequestLoggerWithConfig(s.requestLog()),
		middleware.RecoverWithConfig(middleware.RecoverConfig{LogErrorFunc: s.logPanic}),
	)
	if len(s.Origins) > 0 {
		s.echo.Use(s.allowOrigins())
	}
	if !slices.Contains(s.Origins, "*") {
		s.echo.Use(s.refuseOtherSites(), s.refuseOtherNames())
	}
	if s.Limits.Rate > 0 {
		s.echo.Use(s.limitRate())
	}
	s.echo.Use(decompress, unescapeParams)
	operations := bodies{humaecho.New(s.echo, s.humaConfig())}
	operations.UseMiddleware(s.authorize, rememberURL, tag)
	s.routeExtract(operations)
	s.routeDocuments(operations)
	s.routeBatches(operations)
	s.routeJobs(operations)
	s.routeConcepts(operations)
	s.routeRelations(operations)
	s.routeSubgraph(operations)
	s.routeAbout(operations)
	s.routeMetrics(operations)
	s.routeDocs()
	s.routePage()
}

// address finds the address of a client: the other end of the connection, or what
// a proxy says that is trusted.
func (s *Server) address() echo.IPExtractor {
	if len(s.Proxies) == 0 {
		return echo.ExtractIPDirect()
	}
	trusted := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, network := range s.Proxies {
		trusted = append(trusted, echo.TrustIPRange(network))
	}
	return echo.ExtractIPFromXFFHeader(trusted...)
}

// allowOrigins tells browsers that the pages of some other sites may use the server.
func (s *Server) allowOrigins() echo.MiddlewareFunc {
	return middleware.CORSWithConfig(middleware.CORSConfig{
		AllowOrigins: s.Origins,
		AllowMethods: []string{http.MethodGet, http.MethodPost, http.MethodDelete},
		AllowHeaders: []string{echo.HeaderAuthorization, echo.HeaderContentType, echo.HeaderContentEncoding, echo.HeaderAccept,
			echo.HeaderXRequestID, "If-None-Match", "Prefer", "Idempotency-Key"},
		ExposeHeaders: []string{echo.HeaderXRequestID, echo.HeaderLocation, "Link", "ETag", echo.HeaderRetryAfter, "Preference-Applied", cacheHeader},
		MaxAge:        600,
	})
}

// refuseOtherSites keeps the pages of other sites from using, through the
// browser of someone who visits them, a service that only that one can reach.
func (s *Server) refuseOtherSites() echo.MiddlewareFunc {
	protection := http.NewCrossOriginProtection()
	for _, origin := range s.Origins {
		if err := protection.AddTrustedOrigin(origin); err != nil {
			s.Log.Warn("no origin of pages", "origin", origin, "error", err)
		}
	}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if err := protection.Check(c.Request()); err != nil {
				return newProblem(http.StatusForbidden, "", "a page of another site asked for this: %v; name the site by --cors-origin to allow it", err)
			}
			return next(c)
		}
	}
}

// refuseOtherNames keeps a page of another site from being taken for one of our own
// because its name was made to lead to this machine. Where tokens are asked for, or
// others reach the listener as well, a name says nothing.
func (s *Server) refuseOtherNames() echo.MiddlewareFunc {
	known := map[string]bool{"": true, "localhost": true} // a browser always sends a name
	for _, origin := range s.Origins {
		if parsed, err := url.Parse(origin); err == nil {
			known[strings.ToLower(parsed.Hostname())] = true
		}
	}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if s.Tokens != nil || !s.onlyHere.Load() {
				return next(c)
			}
			name := strings.ToLower((&url.URL{Host: c.Request().Host}).Hostname())
			if ip := net.ParseIP(name); known[name] || ip != nil && ip.IsLoopback() {
				return next(c)
			}
			return newProblem(http.StatusForbidden, "", "this service answers to localhost, and was asked for as %q; name the site by --cors-origin to allow it", name)
		}
	}
}

// unescapeParams decodes the parameters of a path in which a slash is encoded;
// those of other paths Echo has decoded.
func unescapeParams(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if c.Request().URL.RawPath == "" {
			return next(c)
		}
		values := c.ParamValues()
		for i, value := range values {
			decoded, err := url.PathUnescape(value)
			if err != nil {
				return newProblem(http.StatusBadRequest, "", "the path is not encoded rightly: %v", err)
			}
			values[i] = decoded
		}
		c.SetParamValues(values...)
		return next(c)
	}
}

func (s *Server) humaConfig() huma.Config {
	config := huma.DefaultConfig("keci", s.Version)
	config.Info.Description = "Biomedical text in, knowledge graph out."
	config.Formats = map[string]huma.Format{"application/json": jsonFormat, "json": jsonFormat}
	config.DocsPath, config.SchemasPath = "", ""
	config.CreateHooks = nil // no $schema fields in answers
	config.Transformers = []huma.Transformer{s.completeProblem}
	if s.Tokens != nil {
		config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{bearer: {Type: "http", Scheme: "bearer",
			Description: "A token of the file that --auth-token-file names."}}
	}
	return config
}

// operation completes what all operations have in common; needs is what a client
// must be allowed to do.
func (s *Server) operation(needs access, op huma.Operation) huma.Operation {
	op.MaxBodyBytes = s.Limits.BodyBytes + 1 // huma refuses a body of the very limit
	op.BodyReadTimeout = 30 * time.Second
	op.RejectUnknownQueryParameters = true
	if op.Metadata == nil {
		op.Metadata = map[string]any{}
	}
	op.Metadata[accessKey] = needs
	op.Errors = append(op.Errors, http.StatusBadRequest, http.StatusForbidden, http.StatusUnprocessableEntity,
		http.StatusInternalServerError, http.StatusServiceUnavailable)
	if s.Limits.Rate > 0 || op.Method == http.MethodPost {
		op.Errors = append(op.Errors, http.StatusTooManyRequests)
	}
	if op.Method == http.MethodPost {
		op.Errors = append(op.Errors, http.StatusRequestTimeout, http.StatusUnsupportedMediaType) // of Content-Encoding
	}
	if s.Tokens != nil && needs > mayNothing {
		op.Security = []map[string][]string{{bearer: {}}}
		op.Errors = append(op.Errors, http.StatusUnauthorized)
	}
	if op.Method != http.MethodPost && !streams(&op) { // what is posted may be worked on first, and bounds what it asks then
		op.Middlewares = append(op.Middlewares, s.boundStore)
	}
	if op.Method == http.MethodGet && !streams(&op) {
		op.Parameters = append(op.Parameters, &huma.Param{Name: "If-None-Match", In: "header", Schema: &huma.Schema{Type: huma.TypeString},
			Description: "The ETag of an earlier answer: 304 when it is still the same."})
		if op.Responses == nil {
			op.Responses = map[string]*huma.Response{}
		}
		op.Responses["304"] = &huma.Response{Description: "Nothing has changed"}
	}
	return op
}

// boundStore ends what a request asks of the store when it takes too long, so that a
// database that hangs does not hold the requests and all that comes after them.
func (s *Server) boundStore(ctx huma.Context, next func(huma.Context)) {
	bounded, cancel := s.bounded(ctx.Context())
	defer cancel()
	next(huma.WithContext(ctx, bounded))
}

// completeProblem adds to a problem what is known only here: the request that
// caused it, and the limit that a body exceeds.
func (s *Server) completeProblem(ctx huma.Context, _ string, value any) (any, error) {
	problem, ok := value.(*Problem)
	if !ok {
		return value, nil
	}
	problem.Instance = instanceOf(humaecho.Unwrap(ctx))
	if problem.Status == http.StatusRequestEntityTooLarge && problem.Detail == "" {
		problem.Detail = fmt.Sprintf("the body of the request has more than %d bytes (--max-body-bytes)", s.Limits.BodyBytes)
	}
	return problem, nil
}

// requestIDKey is the key of the request's id in its context.
type requestIDKey struct{}

func rememberRequestID(c echo.Context, id string) {
	request := c.Request()
	c.SetRequest(request.WithContext(context.WithValue(request.Context(), requestIDKey{}, id)))
}

func instanceOf(c echo.Context) string {
	return "urn:keci:request:" + c.Response().Header().Get(echo.HeaderXRequestID)
}

// writeProblem answers what Echo itself refuses (unknown paths and methods) and
// what failed without an answer.
func (s *Server) writeProblem(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	problem := *problemOf(err)
	if routing := (*echo.HTTPError)(nil); errors.As(err, &routing) {
		switch problem.Status {
		case http.StatusNotFound:
			problem.Detail = fmt.Sprintf("there is nothing at %s; see /openapi.json", c.Request().URL.Path)
		case http.StatusMethodNotAllowed:
			problem.Detail = fmt.Sprintf("%s is not allowed at %s; allowed: %s",
				c.Request().Method, c.Request().URL.Path, c.Response().Header().Get(echo.HeaderAllow))
		}
	}
	problem.Instance = instanceOf(c)
	header := c.Response().Header()
	maps.Copy(header, problem.GetHeaders())
	header.Set(echo.HeaderContentType, problem.ContentType(""))
	c.Response().WriteHeader(problem.Status)
	if err := writeJSON(c.Response(), &problem); err != nil {
		s.Log.Debug("writing a problem", "error", err)
	}
}

// failed logs an error that is not the client's and gives the problem to answer.
func (s *Server) failed(ctx context.Context, err error) error {
	problem := problemOf(err)
	inside := problem.Status == http.StatusInternalServerError || errors.Is(err, graph.ErrUnavailable) || errors.Is(err, kv.ErrFull)
	if inside && ctx.Err() == nil {
		s.Log.Error("request failed", "id", ctx.Value(requestIDKey{}), "error", err)
	}
	return problem
}

// requestLog tells of every request what was asked and how long it took. Texts
// and queries stay out of the log.
func (s *Server) requestLog() middleware.RequestLoggerConfig {
	return middleware.RequestLoggerConfig{
		HandleError: true, LogMethod: true, LogRoutePath: true, LogStatus: true,
		LogLatency: true, LogRequestID: true, LogResponseSize: true, LogRemoteIP: true,
		LogValuesFunc: func(c echo.Context, v middleware.RequestLoggerValues) error {
			level := slog.LevelInfo
			if v.Status >= http.StatusInternalServerError {
				level = slog.LevelError
			}
			s.Log.Log(c.Request().Context(), level, "request", "id", v.RequestID, "method", v.Method, "route", v.RoutePath,
				"status", v.Status, "trace", traceID(c.Request().Context()), "ms", float64(v.Latency.Microseconds())/1000, "bytes", v.ResponseSize,
				"cache", c.Response().Header().Get(cacheHeader), "client", clientOf(c.Request().Context()).name, "address", v.RemoteIP)
			return nil
		},
	}
}

var errPanic = errors.New("panic")

func (s *Server) logPanic(c echo.Context, err error, stack []byte) error {
	s.Log.Error("panic", "id", c.Response().Header().Get(echo.HeaderXRequestID), "error", err, "stack", string(stack))
	return errPanic
}
