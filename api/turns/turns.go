// Package turns shares a few places to work among many clients, so that one who
// asks for much does not make the others wait.
package turns

import (
	"context"
	"slices"
	"sync"
)

// Queue gives out places. Clients that wait get one in turn, and the requests of
// a client in the order in which they came. It is safe for concurrent use.
type Queue struct {
	mutex   sync.Mutex
	free    int
	waiting map[string][]*ticket // by client, the first to be served first
	order   []string             // the clients that wait, the next one first
}

// ticket is one who waits.
type ticket struct{ called chan struct{} }

// New makes a queue with a number of places, at least one.
func New(places int) *Queue {
	return &Queue{free: places, waiting: map[string][]*ticket{}}
}

// Take waits for a place. Whoever gets one must call release, once or more often.
// The error is that of the context, which ended before.
func (q *Queue) Take(ctx context.Context, client string) (release func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	t := q.enter(client)
	select {
	case <-t.called:
	case <-ctx.Done():
		if q.leave(client, t) {
			return nil, ctx.Err()
		}
	}
	return sync.OnceFunc(q.release), nil
}

// Waiting is how many requests of a client wait for a place.
func (q *Queue) Waiting(client string) int {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	return len(q.waiting[client])
}

// Length is how many requests of all clients wait for a place.
func (q *Queue) Length() int {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	length := 0
	for _, tickets := range q.waiting {
		length += len(tickets)
	}
	return length
}

// enter gives a ticket, called at once when a place is free.
func (q *Queue) enter(client string) *ticket {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	t := &ticket{make(chan struct{})}
	if q.free > 0 {
		q.free--
		close(t.called)
		return t
	}
	if len(q.waiting[client]) == 0 {
		q.order = append(q.order, client)
	}
	q.waiting[client] = append(q.waiting[client], t)
	return t
}

// leave gives a ticket back; it is false when the ticket has been called.
func (q *Queue) leave(client string, t *ticket) bool {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	tickets := q.waiting[client]
	at := slices.Index(tickets, t)
	if at < 0 {
		return false
	}
	q.setWaiting(client, slices.Delete(tickets, at, at+1))
	if len(tickets) == 1 {
		q.order = slices.DeleteFunc(q.order, func(other string) bool { return other == client })
	}
	return true
}

// release hands a place to the next one, or lays it aside.
func (q *Queue) release() {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	if len(q.order) == 0 {
		q.free++
		return
	}
	client := q.order[0]
	q.order = q.order[1:]
	tickets := q.waiting[client]
	if len(tickets) > 1 {
		q.order = append(q.order, client)
	}
	q.setWaiting(client, tickets[1:])
	close(tickets[0].called)
}

func (q *Queue) setWaiting(client string, tickets []*ticket) {
	if len(tickets) == 0 {
		delete(q.waiting, client)
		return
	}
	q.waiting[client] = tickets
}
