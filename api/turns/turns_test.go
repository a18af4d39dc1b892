package turns_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/keci-kg/keci/api/turns"
)

// One client asks for five places before another asks for two; they are served
// in turn.
func TestClientsAreServedInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		queue := turns.New(1)
		release, err := queue.Take(t.Context(), "first")
		if err != nil {
			t.Fatal(err)
		}
		var (
			group  sync.WaitGroup
			served []string
		)
		for _, client := range strings.Fields("a a a a a b b") {
			group.Go(func() {
				release, err := queue.Take(t.Context(), client)
				if err != nil {
					t.Error(err)
					return
				}
				served = append(served, client) // only one at a time
				release()
			})
			synctest.Wait() // so that they come in this order
		}
		if queue.Waiting("a") != 5 || queue.Waiting("b") != 2 || queue.Length() != 7 {
			t.Errorf("%d and %d wait, %d in all", queue.Waiting("a"), queue.Waiting("b"), queue.Length())
		}
		release()
		release() // a second call does nothing
		group.Wait()
		if got := strings.Join(served, " "); got != "a b a b a a a" {
			t.Errorf("served in the order %s", got)
		}
	})
}

func TestWhoLeavesTakesNoPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		queue := turns.New(1)
		release, _ := queue.Take(t.Context(), "a")
		ctx, cancel := context.WithCancel(t.Context())
		left := make(chan error)
		go func() {
			_, err := queue.Take(ctx, "b")
			left <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-left; !errors.Is(err, context.Canceled) {
			t.Errorf("error = %v", err)
		}
		if queue.Length() != 0 {
			t.Errorf("%d wait", queue.Length())
		}
		release()
		release, err := queue.Take(t.Context(), "c") // the place is free
		if err != nil {
			t.Fatal(err)
		}
		release()
		if _, err := queue.Take(ctx, "d"); !errors.Is(err, context.Canceled) {
			t.Errorf("with a context that has ended: %v", err)
		}
	})
}

func TestManyAtATime(t *testing.T) {
	const places = 3
	queue := turns.New(places)
	var (
		group   sync.WaitGroup
		mutex   sync.Mutex
		working int
	)
	for i := range 200 {
		group.Go(func() {
			release, err := queue.Take(t.Context(), string(rune('a'+i%5)))
			if err != nil {
				t.Error(err)
				return
			}
			defer release()
			mutex.Lock()
			working++
			if working > places {
				t.Errorf("%d work at a time", working)
			}
			mutex.Unlock()
			mutex.Lock()
			working--
			mutex.Unlock()
		})
	}
	group.Wait()
}
