package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/keci-kg/keci/graph/format/picture"
)

// TestWaitingForAPicture: it is told from a store that is slow, and from a client that has left.
func TestWaitingForAPicture(t *testing.T) {
	for why, want := range map[error]int{context.DeadlineExceeded: http.StatusServiceUnavailable, context.Canceled: statusClientGone} {
		p := problemOf(fmt.Errorf("%w: %w", picture.ErrBusy, why))
		slow := why == context.DeadlineExceeded
		if p.Status != want || slow && (p.Field != "format" || p.retryAfter == 0 || !strings.Contains(p.Detail, "pictures") || !strings.Contains(p.Detail, "--store-timeout")) {
			t.Errorf("%v: %+v", why, p)
		}
	}
	if p := problemOf(context.DeadlineExceeded); strings.Contains(p.Detail, "picture") {
		t.Errorf("a slow store: %+v", p)
	}
}
