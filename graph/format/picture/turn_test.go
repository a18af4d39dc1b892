package picture

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/keci-kg/keci/graph"
)

// Who leaves while another picture is drawn need not wait for it.
func TestPictureOfWhoLeaves(t *testing.T) {
	for name, write := range map[string]func(context.Context, io.Writer, graph.Document) error{"SVG": WriteSVG, "PNG": WritePNG} {
		ctx, leave := context.WithCancel(t.Context())
		defer leave()
		if err := takeTurn(ctx); err != nil { // as the other picture
			t.Fatal(err)
		}
		written := make(chan error)
		go func() { written <- write(ctx, io.Discard, graph.Document{Text: "…"}) }()
		select {
		case err := <-written:
			t.Errorf("%s: it did not wait for its turn: %v", name, err)
		case <-time.After(10 * time.Millisecond):
			leave()
			if err := <-written; !errors.Is(err, context.Canceled) || !errors.Is(err, ErrBusy) {
				t.Errorf("%s: error = %v", name, err)
			}
		}
		<-drawer
		if err := write(ctx, io.Discard, graph.Document{Text: "…"}); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: who has left gets a picture, error = %v", name, err)
		}
		if err := write(t.Context(), io.Discard, graph.Document{Text: "…"}); err != nil {
			t.Errorf("%s: afterwards: %v", name, err)
		}
	}
}
