package jobs

import (
	"context"

	"golang.org/x/sync/errgroup"
)

// run works through a job until it is done, cancelled or stopped.
func (q *Queue) run(ctx context.Context, l *live) {
	if err := q.begin(l); err != nil {
		q.close(l, err)
		return
	}
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(q.workers)
	for number := range l.Tasks {
		if inner.Err() != nil || q.life.Err() != nil {
			break
		}
		group.Go(func() error { return q.do(inner, l, number) })
	}
	q.close(l, group.Wait())
}

// begin says that a job runs.
func (q *Queue) begin(l *live) error {
	q.mutex.Lock()
	l.State = Running
	if l.Started == nil {
		l.Started = new(now())
	}
	r := l.record
	q.change(l)
	q.mutex.Unlock()
	return q.update(r)
}

// do works on a task, unless it has a result.
func (q *Queue) do(ctx context.Context, l *live, number int) error {
	if ctx.Err() != nil || q.life.Err() != nil {
		return nil
	}
	if known, err := q.hasResult(l.ID, number); known || err != nil {
		return err
	}
	task, err := q.task(l.ID, number)
	if err != nil {
		return err
	}
	result, err := q.work(ctx, l.Spec.Client, l.Spec.Options, task)
	if ctx.Err() != nil {
		return nil // cancelled, or stopped: it has no result, or none that counts
	}
	if err != nil {
		return err
	}
	if err := q.finish(l.ID, number, result); err != nil {
		return err
	}
	q.mutex.Lock()
	defer q.mutex.Unlock()
	l.Done++
	if result.Failed {
		l.Job.Failed++
	}
	q.change(l)
	return nil
}

// whyFailed is what clients are told of a job that could not go on: what is inside the
// service stays inside.
const whyFailed = "the service could not go on with it; its log says why"

// close ends a job that ran, or lays it aside when the queue was stopped.
func (q *Queue) close(l *live, err error) {
	q.mutex.Lock()
	l.cancel()
	cancelled, done := l.cancelled, l.Done == l.Tasks
	if !cancelled && err == nil && !done {
		l.State, l.cancel = Queued, nil
	}
	q.mutex.Unlock()
	switch { // end tells what it could not store
	case cancelled:
		_ = q.end(l, Cancelled, "")
	case err != nil:
		q.options.Log.Error("a job failed", "job", l.ID, "error", err)
		_ = q.end(l, Failed, whyFailed)
	case done:
		_ = q.end(l, Done, "")
	}
}
