package api

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"golang.org/x/time/rate"
)

// Limits bound what a request may ask for. Each is told in the problem that it
// causes, under the name of the flag that sets it.
type Limits struct {
	TextBytes      int           // --max-text-bytes: the longest text
	BodyBytes      int64         // --max-body-bytes: the longest body of a request
	BatchBytes     int64         // --max-batch-bytes: the longest body of a batch
	BatchDocuments int           // --max-batch-documents: documents of a batch
	Timeout        time.Duration // --timeout: for the extraction of one document, waiting included
	StoreTimeout   time.Duration // --store-timeout: for what a request asks of the store
	Concurrency    int           // --concurrency: extractions at a time
	Waiting        int           // --max-waiting: texts of one client that wait for their turn
	Rate           float64       // --rate: requests of one client in a second; 0 is no limit
	Burst          int           // --burst: requests of one client at once, before the rate counts
}

// DefaultLimits suit one machine: a text may be as long as a full article.
func DefaultLimits() Limits {
	return Limits{
		TextBytes: 256 << 10, BodyBytes: 2 << 20, BatchBytes: 256 << 20, BatchDocuments: 100_000,
		Timeout: time.Minute, StoreTimeout: 30 * time.Second, Concurrency: runtime.GOMAXPROCS(0), Waiting: 64, Burst: 20,
	}
}

func (l Limits) check() error {
	if l.TextBytes < 1 || l.BodyBytes < 1 || l.BatchBytes < 1 || l.BatchDocuments < 1 ||
		l.Timeout <= 0 || l.StoreTimeout <= 0 || l.Concurrency < 1 || l.Waiting < 1 || l.Burst < 1 || l.Rate < 0 {
		return fmt.Errorf("every limit of the server must be positive: %+v", l)
	}
	return nil
}

// forgetAfter is when a client that is silent may be forgotten: it has its whole burst again.
func (l Limits) forgetAfter() time.Duration {
	return max(3*time.Minute, time.Duration(float64(l.Burst)/l.Rate*float64(time.Second)))
}

// limitRate refuses the requests of a client that come too fast.
func (s *Server) limitRate() echo.MiddlewareFunc {
	return middleware.RateLimiterWithConfig(middleware.RateLimiterConfig{
		Skipper: func(c echo.Context) bool { return !strings.HasPrefix(c.Path(), "/v1/") },
		Store: middleware.NewRateLimiterMemoryStoreWithConfig(middleware.RateLimiterMemoryStoreConfig{
			Rate: rate.Limit(s.Limits.Rate), Burst: s.Limits.Burst, ExpiresIn: s.Limits.forgetAfter(),
		}),
		IdentifierExtractor: func(c echo.Context) (string, error) { return clientOf(c.Request().Context()).name, nil },
		DenyHandler: func(echo.Context, string, error) error {
			problem := newProblem(http.StatusTooManyRequests, "", "one client may send %g requests a second (--rate) and %d at once (--burst); send the request again later",
				s.Limits.Rate, s.Limits.Burst)
			problem.retryAfter = time.Duration(float64(time.Second) / s.Limits.Rate)
			return problem
		},
	})
}

// turn waits until a text can be worked on. Clients are served in turn, and the
// jobs of a client stand in a line beside the client's own requests.
func (s *Server) turn(ctx context.Context) (release func(), err error) {
	ctx, span := s.tracer.Start(ctx, "wait for a turn")
	defer span.End()
	started := time.Now()
	defer func() { s.metrics.wait.Observe(time.Since(started).Seconds()) }()
	who := clientOf(ctx)
	if who.background {
		return s.turns.Take(ctx, who.name+" jobs")
	}
	if s.turns.Waiting(who.name) >= s.Limits.Waiting {
		problem := newProblem(http.StatusTooManyRequests, "", "%d texts of one client wait already (--max-waiting); send the request again later", s.Limits.Waiting)
		problem.retryAfter = time.Second
		return nil, problem
	}
	release, err = s.turns.Take(ctx, who.name)
	if err != nil {
		problem := newProblem(http.StatusServiceUnavailable, "", "%d texts at a time are worked on (--concurrency), and no turn came within %s (--timeout); try again later",
			s.Limits.Concurrency, s.Limits.Timeout)
		problem.retryAfter = s.Limits.Timeout
		return nil, problem
	}
	return release, nil
}
