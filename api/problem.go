package api

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"
	"github.com/labstack/echo/v4"

	"github.com/keci-kg/keci/api/jobs"
	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/format/picture"
	"github.com/keci-kg/keci/internal/kv"
)

// Problem is the answer to a request that failed: problem details as of RFC 9457
// with the extensions field and errors. It is an error, so that handlers can
// return it.
type Problem struct {
	Type     string       `json:"type" format:"uri" doc:"Names the kind of problem."`
	Title    string       `json:"title" doc:"The kind of problem in words."`
	Status   int          `json:"status" doc:"The HTTP status."`
	Detail   string       `json:"detail" doc:"What is wrong this time, and what to do."`
	Instance string       `json:"instance,omitempty" format:"uri" doc:"Names this occurrence; the id in it is that of X-Request-Id and of the log."`
	Field    string       `json:"field,omitempty" doc:"The field or parameter at fault, the first when there are several."`
	Errors   []FieldError `json:"errors,omitempty" doc:"All faults, when there are several."`

	retryAfter time.Duration // when it may go better
	challenge  bool          // ask for a token
}

// FieldError is one of several faults of a request.
type FieldError struct {
	Field  string `json:"field,omitempty"`
	Detail string `json:"detail"`
}

// statusClientGone is for the log: nobody reads the answer. It is the number
// that other servers use for it.
const statusClientGone = 499

// problemKinds names the kinds of problems by their status.
var problemKinds = map[int]struct{ name, title string }{
	http.StatusBadRequest:            {"malformed-request", "The request cannot be read"},
	statusClientGone:                 {"client-gone", "The client has left"},
	http.StatusUnauthorized:          {"unauthorized", "The client is not known"},
	http.StatusTooManyRequests:       {"too-many-requests", "The client asks for too much at once"},
	http.StatusForbidden:             {"forbidden", "The request is not allowed"},
	http.StatusNotFound:              {"not-found", "There is no such thing"},
	http.StatusMethodNotAllowed:      {"method-not-allowed", "The method is not allowed here"},
	http.StatusNotAcceptable:         {"not-acceptable", "The answer has none of the accepted forms"},
	http.StatusRequestTimeout:        {"slow-request", "The request came too slowly"},
	http.StatusConflict:              {"conflict", "The id is known with another text"},
	http.StatusRequestEntityTooLarge: {"too-large", "The request is too large"},
	http.StatusUnsupportedMediaType:  {"unsupported-media-type", "The form of the body is not supported"},
	http.StatusUnprocessableEntity:   {"invalid-input", "The input is not valid"},
	http.StatusInternalServerError:   {"internal", "The server failed"},
	http.StatusServiceUnavailable:    {"busy", "The server is busy"},
	http.StatusGatewayTimeout:        {"timeout", "The work took too long"},
}

// newProblem is a problem of the kind that belongs to status.
func newProblem(status int, field, format string, args ...any) *Problem {
	kind, known := problemKinds[status]
	if !known {
		kind.name, kind.title = strconv.Itoa(status), http.StatusText(status)
	}
	return &Problem{
		Type:   "urn:keci:problem:" + kind.name,
		Title:  kind.title,
		Status: status,
		Field:  field,
		Detail: fmt.Sprintf(format, args...),
	}
}

// Error implements error.
func (p *Problem) Error() string { return p.Detail }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType implements huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// GetHeaders implements huma.HeadersError.
func (p *Problem) GetHeaders() http.Header {
	headers := http.Header{}
	if p.retryAfter > 0 {
		headers.Set("Retry-After", strconv.Itoa(int(math.Ceil(p.retryAfter.Seconds()))))
	}
	if p.challenge {
		headers.Set("WWW-Authenticate", `Bearer realm="keci"`)
	}
	return headers
}

// huma makes its own errors (a parameter that does not fit, a body that cannot
// be read) through this variable, which it provides for the purpose.
func init() {
	huma.NewError = func(status int, message string, faults ...error) huma.StatusError {
		return problemOfFaults(status, message, faults)
	}
}

// problemOfFaults is the problem for what huma found wrong with a request. A body
// that breaks off is no fault of the server, and how large one may be is told later.
func problemOfFaults(status int, message string, faults []error) *Problem {
	switch {
	case message == "cannot read request body" && len(faults) == 1:
		status = http.StatusBadRequest
		faults = []error{fmt.Errorf("the body of the request could not be read to its end: %w", faults[0])}
	case status == http.StatusRequestEntityTooLarge:
		message = ""
	}
	p := newProblem(status, "", "%s", message)
	for _, fault := range faults {
		p.Errors = append(p.Errors, fieldError(fault))
	}
	if len(p.Errors) == 0 {
		return p
	}
	details := make([]string, len(p.Errors))
	for i, fault := range p.Errors {
		details[i] = fault.Detail
	}
	p.Field, p.Detail = p.Errors[0].Field, strings.Join(details, "; ")
	if len(p.Errors) == 1 {
		p.Errors = nil
	}
	return p
}

// otherForm tells of fields that other forms of documents have how to send these.
var otherForm = map[string]string{
	"documents":   "; BioC JSON is sent as Content-Type application/vnd.bioc+json",
	"denotations": "; PubAnnotation is sent as Content-Type application/vnd.pubannotation+json",
}

// fieldError is one fault that huma found. The value at fault, which may be the
// whole text, is left out.
func fieldError(fault error) FieldError {
	detailed, ok := fault.(huma.ErrorDetailer)
	if !ok {
		return FieldError{Detail: fault.Error()}
	}
	detail := detailed.ErrorDetail()
	_, field, _ := strings.Cut(detail.Location, ".") // after "body", "query", "path"
	switch {
	case detail.Message == validation.MsgUnexpectedProperty:
		return FieldError{field, fmt.Sprintf("unknown field %q%s", field, otherForm[field])}
	case field == "":
		return FieldError{Detail: detail.Message}
	}
	return FieldError{field, field + ": " + detail.Message}
}

// storeRetryAfter is about what a database takes to start again.
const storeRetryAfter = 30 * time.Second

// drawRetryAfter is about what a queue of pictures takes.
const drawRetryAfter = 5 * time.Second

// problemOf is the problem that err amounts to. What is inside the server stays
// inside: such errors are told in the log only.
func problemOf(err error) *Problem {
	var (
		problem   *Problem
		echoError *echo.HTTPError
	)
	switch {
	case errors.As(err, &problem):
		return problem
	case errors.Is(err, graph.ErrNotFound):
		return newProblem(http.StatusNotFound, "", "%v", err)
	case errors.Is(err, graph.ErrConflict):
		return newProblem(http.StatusConflict, "id", "%v; send ?replace=true to replace the document", err)
	case errors.Is(err, jobs.ErrNotFound):
		return newProblem(http.StatusNotFound, "", "%v", err)
	case errors.Is(err, jobs.ErrStopped):
		return newProblem(http.StatusServiceUnavailable, "", "the server is stopping")
	case errors.Is(err, graph.ErrUnavailable):
		unavailable := newProblem(http.StatusServiceUnavailable, "", "the store of the server cannot be used now; try again later")
		unavailable.retryAfter = storeRetryAfter
		return unavailable
	case errors.Is(err, kv.ErrFull):
		full := newProblem(http.StatusServiceUnavailable, "", "the disk of the server is full; its operator has to make room")
		full.retryAfter = storeRetryAfter
		return full
	case errors.Is(err, picture.ErrBusy) && errors.Is(err, context.DeadlineExceeded):
		busy := newProblem(http.StatusServiceUnavailable, "format", "other pictures are being drawn, one at a time, and it was not the turn of this one in time (--store-timeout); ask for another format, or try again later")
		busy.retryAfter = drawRetryAfter
		return busy
	case errors.Is(err, context.DeadlineExceeded):
		slow := newProblem(http.StatusServiceUnavailable, "", "the store of the server took too long to answer (--store-timeout); ask for less, or try again later")
		slow.retryAfter = storeRetryAfter
		return slow
	case errors.Is(err, graph.ErrTooBroad):
		return newProblem(http.StatusUnprocessableEntity, "", "%v", err)
	case errors.Is(err, picture.ErrTooLarge):
		return newProblem(http.StatusUnprocessableEntity, "format", "%v; ask for another format", err)
	case errors.Is(err, context.Canceled):
		return newProblem(statusClientGone, "", "the client has left")
	case errors.As(err, &echoError):
		return newProblem(echoError.Code, "", "%v", echoError.Message)
	}
	return newProblem(http.StatusInternalServerError, "", "an error inside the server; its log has more under the id of this request")
}
