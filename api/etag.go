package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/labstack/echo/v4"
)

// streamKey marks in the metadata of an operation that its answer comes bit by bit.
const streamKey = "stream"

func streams(op *huma.Operation) bool { return op.Metadata[streamKey] == true }

// etagOf is the tag of a content.
func etagOf(content []byte) string {
	sum := sha256.Sum256(content)
	return `W/"` + hex.EncodeToString(sum[:16]) + `"`
}

// tag gives what is read a tag made of its content, and answers those who have
// that content that nothing has changed. The tag is a weak one, since the same
// content may be sent compressed. What a call that panics has written is dropped.
func tag(ctx huma.Context, next func(huma.Context)) {
	if op := ctx.Operation(); op.Method != http.MethodGet && op.Method != http.MethodHead || streams(op) {
		next(ctx)
		return
	}
	c := humaecho.Unwrap(ctx)
	response := c.Response()
	held := hold(response, func() { next(ctx) })
	if held.status == http.StatusOK {
		etag := etagOf(held.body.Bytes())
		response.Header().Set("ETag", etag)
		response.Header().Set(echo.HeaderCacheControl, "private, no-cache") // keep it, and ask whether it is still so
		if matches(c.Request().Header.Values("If-None-Match"), etag) {
			response.Status = http.StatusNotModified // for the log
			response.Header().Del(echo.HeaderContentType)
			held.ResponseWriter.WriteHeader(http.StatusNotModified)
			return
		}
	}
	held.ResponseWriter.WriteHeader(held.status)
	_, _ = held.ResponseWriter.Write(held.body.Bytes()) // a client that has left needs no answer
}

// hold gives what write answers and has not sent. When write panics, the response is
// as if nothing was written, so that the problem can be told in its place.
func hold(response *echo.Response, write func()) *heldResponse {
	held := &heldResponse{ResponseWriter: response.Writer, status: http.StatusOK}
	response.Writer = held
	done := false
	defer func() {
		response.Writer = held.ResponseWriter
		if !done {
			response.Committed, response.Size = false, 0
		}
	}()
	write()
	done = true
	return held
}

// matches reports whether one of the tags that a client has is etag.
func matches(fields []string, etag string) bool {
	for _, field := range fields {
		for known := range strings.SplitSeq(field, ",") {
			known = strings.TrimSpace(known)
			if known == "*" || strings.TrimPrefix(known, "W/") == strings.TrimPrefix(etag, "W/") {
				return true
			}
		}
	}
	return false
}

// heldResponse keeps an answer back.
type heldResponse struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

// WriteHeader implements http.ResponseWriter.
func (h *heldResponse) WriteHeader(status int) { h.status = status }

// Write implements http.ResponseWriter.
func (h *heldResponse) Write(data []byte) (int, error) { return h.body.Write(data) }

// Unwrap is for http.ResponseController.
func (h *heldResponse) Unwrap() http.ResponseWriter { return h.ResponseWriter }
