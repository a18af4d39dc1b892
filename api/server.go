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
	"net"
	"net/http"
	"net/url"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"golang.org/x/sync/singleflight"

	"github.com/keci-kg/keci/fusion"
	"github.com/keci-kg/keci/graph"
)

// Linker finds the mentions of a text with their candidate concepts. It is safe
// for concurrent use.
type Linker interface {
	// Link returns the mentions of text with byte offsets, in order of the text.
	Link(ctx context.Context, text string) ([]graph.Mention, error)
}

// Limits bound what a request may ask for. Each is told in the problem that it
// causes, under the name of the flag that sets it.
type Limits struct {
	TextBytes   int           // --max-text-bytes: the longest text
	BodyBytes   int64         // --max-body-bytes: the longest body of a request
	Timeout     time.Duration // --timeout: for the extraction of one document, waiting included
	Concurrency int           // --concurrency: extractions at a time
}

// DefaultLimits suit one machine: a text may be as long as a full article.
func DefaultLimits() Limits {
	return Limits{TextBytes: 256 << 10, BodyBytes: 2 << 20, Timeout: time.Minute, Concurrency: runtime.GOMAXPROCS(0)}
}

// Config is what a Server needs. All fields without a remark are required.
type Config struct {
	Extractor fusion.Extractor
	Linker    Linker
	Store     graph.Store
	Cache     *Cache // nil: every answer is worked out
	Limits    Limits
	Log       *slog.Logger // never gets texts; nil: slog.Default()
	Version   string       // of the program, for the OpenAPI description
}

// Server serves the REST interface and the page. It is an http.Handler.
type Server struct {
	Config
	echo     *echo.Echo
	model    fusion.ModelInfo
	kb       graph.KnowledgeBaseInfo
	slots    chan struct{}      // one is held during an extraction
	flights  singleflight.Group // equal questions asked at a time are worked out once
	stopping atomic.Bool
}

// New makes a server; it asks the extractor and the store what they are.
func New(ctx context.Context, config Config) (*Server, error) {
	if config.Log == nil {
		config.Log = slog.Default()
	}
	if config.Limits.Concurrency < 1 || config.Limits.TextBytes < 1 || config.Limits.BodyBytes < 1 || config.Limits.Timeout <= 0 {
		return nil, fmt.Errorf("every limit of the server must be positive: %+v", config.Limits)
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
		slots:  make(chan struct{}, config.Limits.Concurrency),
	}
	s.route()
	return s, nil
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.echo.ServeHTTP(w, r) }

// Serve answers on listener until ctx ends; then it lets the requests that run
// finish, as long as the time limit of a request.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
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
	select {
	case err := <-served:
		return fmt.Errorf("serving on %s: %w", listener.Addr(), err)
	case <-ctx.Done():
	}
	s.Log.Info("stopping when the requests that run are done")
	s.stopping.Store(true)
	finish, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.Limits.Timeout)
	defer cancel()
	if err := server.Shutdown(finish); err != nil {
		return fmt.Errorf("stopping with requests unfinished: %w", err)
	}
	return nil
}

func (s *Server) route() {
	s.echo.HTTPErrorHandler = s.writeProblem
	s.echo.Use(
		middleware.RequestIDWithConfig(middleware.RequestIDConfig{RequestIDHandler: rememberRequestID}),
		middleware.RequestLoggerWithConfig(s.requestLog()),
		middleware.RecoverWithConfig(middleware.RecoverConfig{LogErrorFunc: s.logPanic}),
		refuseOtherSites,
		unescapeParams,
	)
	operations := bodies{humaecho.New(s.echo, s.humaConfig())}
	s.routeExtract(operations)
	s.routeDocuments(operations)
	s.routeConcepts(operations)
	s.routeSubgraph(operations)
	s.routeAbout(operations)
	s.routePage()
}

// otherSites tells requests of a browser that another site's page makes.
var otherSites = http.NewCrossOriginProtection()

// refuseOtherSites keeps the pages of other sites from using, through the
// browser of someone who visits them, a service that only that one can reach.
func refuseOtherSites(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if err := otherSites.Check(c.Request()); err != nil {
			return newProblem(http.StatusForbidden, "", "a page of another site asked for this: %v", err)
		}
		return next(c)
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
	return config
}

// operation completes what all operations have in common.
func (s *Server) operation(op huma.Operation) huma.Operation {
	op.MaxBodyBytes = s.Limits.BodyBytes + 1 // huma refuses a body of the very limit
	op.BodyReadTimeout = 30 * time.Second
	op.RejectUnknownQueryParameters = true
	return op
}

// completeProblem adds to a problem what is known only here: the request that
// caused it, and the limit that a body exceeds.
func (s *Server) completeProblem(ctx huma.Context, _ string, value any) (any, error) {
	problem, ok := value.(*Problem)
	if !ok {
		return value, nil
	}
	problem.Instance = instanceOf(humaecho.Unwrap(ctx))
	if problem.Status == http.StatusRequestEntityTooLarge && problem.Field == "" {
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
	switch problem.Status {
	case http.StatusNotFound:
		problem.Detail = fmt.Sprintf("there is nothing at %s; see /openapi.json", c.Request().URL.Path)
	case http.StatusMethodNotAllowed:
		problem.Detail = fmt.Sprintf("%s is not allowed at %s; allowed: %s",
			c.Request().Method, c.Request().URL.Path, c.Response().Header().Get(echo.HeaderAllow))
	}
	problem.Instance = instanceOf(c)
	header := c.Response().Header()
	header.Set(echo.HeaderContentType, problem.ContentType(""))
	c.Response().WriteHeader(problem.Status)
	if err := writeJSON(c.Response(), &problem); err != nil {
		s.Log.Debug("writing a problem", "error", err)
	}
}

// failed logs an error that is not the client's and gives the problem to answer.
func (s *Server) failed(ctx context.Context, err error) error {
	problem := problemOf(err)
	inside := problem.Status == http.StatusInternalServerError || errors.Is(err, graph.ErrUnavailable)
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
				"status", v.Status, "ms", float64(v.Latency.Microseconds())/1000, "bytes", v.ResponseSize,
				"cache", c.Response().Header().Get(cacheHeader), "client", v.RemoteIP)
			return nil
		},
	}
}

var errPanic = errors.New("panic")

func (s *Server) logPanic(c echo.Context, err error, stack []byte) error {
	s.Log.Error("panic", "id", c.Response().Header().Get(echo.HeaderXRequestID), "error", err, "stack", string(stack))
	return errPanic
}
