package jobs

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"iter"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/keci-kg/keci/internal/kv"
)

// Options bound a Queue.
type Options struct {
	Unfinished int           // jobs of one client that are not done; one more is refused
	Running    int           // jobs of one client that are worked on at a time; the others wait
	Keep       time.Duration // how long a job is kept after its end; 0 keeps it
	Log        *slog.Logger  // hears of what fails inside; nil: slog.Default()
}

// DefaultOptions suit one machine.
func DefaultOptions() Options {
	return Options{Unfinished: 100, Running: 4, Keep: 7 * 24 * time.Hour}
}

// Worker works on a task of a job. An error means that there is no result: because
// ctx has ended, or because the job as a whole cannot go on.
type Worker func(ctx context.Context, client string, options, task []byte) (Result, error)

// Queue keeps jobs and works through them. It is safe for concurrent use.
type Queue struct {
	storage
	options Options

	mutex   sync.Mutex
	live    map[string]*live // the jobs that have not ended
	unsaved map[string]Job   // those that have, which could not be written: the next start takes them up again
	making  map[string]int   // how many jobs each client is about to make
	work    Worker           // nil: not started
	workers int
	stopped bool
	running sync.WaitGroup // jobs that run, and the sweeper

	life context.Context // ends when no more tasks shall be begun
	stop context.CancelFunc
	kill context.CancelFunc // ends also what was begun
	hard context.Context
}

// live is a job that has not ended. The mutex of the queue guards it.
type live struct {
	record
	cancel    context.CancelFunc // nil: it does not run
	cancelled bool
	removed   bool
	changed   chan struct{} // closed, and replaced, by every change
	ended     chan struct{}
}

func newLive(r record) *live {
	return &live{record: r, changed: make(chan struct{}), ended: make(chan struct{})}
}

// Open opens the jobs in dir, making it when there is none. Nothing is worked on
// before Start.
func Open(dir string, options Options) (*Queue, error) {
	db, err := kv.Open(dir, kv.Options{})
	if err != nil {
		return nil, err
	}
	if options.Log == nil {
		options.Log = slog.Default()
	}
	q := &Queue{storage: storage{db}, options: options, live: map[string]*live{}, unsaved: map[string]Job{}, making: map[string]int{}}
	q.life, q.stop = context.WithCancel(context.Background())
	q.hard, q.kill = context.WithCancel(context.Background())
	if err := q.load(); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the jobs: %w", err), db.Close())
	}
	return q, nil
}

// load takes up the jobs that had not ended and clears what others have left.
func (q *Queue) load() error {
	orphans, err := q.orphans()
	if err != nil {
		return err
	}
	for _, id := range orphans {
		if err := q.erase(id, true); err != nil {
			return err
		}
	}
	var unfinished []record
	err = q.records("", func(r record) bool {
		if !r.State.Ended() {
			unfinished = append(unfinished, r)
		}
		return true
	})
	if err != nil {
		return err
	}
	for _, r := range unfinished {
		r.State = Queued
		if r.Done, r.Job.Failed, err = q.progress(r.ID); err != nil {
			return err
		}
		q.live[r.ID] = newLive(r)
	}
	return nil
}

// Start begins to work: with work, on at most workers tasks of a job at a time.
func (q *Queue) Start(workers int, work Worker) {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	q.work, q.workers = work, workers
	q.running.Go(q.sweep)
	q.schedule()
}

// Stop begins no more tasks and waits for those that were begun; when ctx ends
// they are broken off. What is left is done after the next Open and Start.
func (q *Queue) Stop(ctx context.Context) {
	q.mutex.Lock()
	q.stopped = true
	q.stop()
	q.mutex.Unlock()
	defer context.AfterFunc(ctx, q.kill)()
	q.running.Wait()
	q.kill()
}

// Close closes the database of a queue that was stopped or never started.
func (q *Queue) Close() error {
	q.stop()
	q.kill()
	return q.db.Close()
}

// Add makes a job of tasks, which are written while they come. An error of tasks
// is returned as it is, and no job is made. When the key of spec was used before
// for the same tasks, the job of that time is given and created is false, be there
// room for another job or not.
func (q *Queue) Add(ctx context.Context, spec Spec, tasks iter.Seq2[[]byte, error]) (job Job, created bool, err error) {
	if spec.Key != "" {
		stands, known, err := q.key(spec.Client, spec.Key)
		if err != nil {
			return job, false, err
		}
		if known {
			job, err = q.again(stands, spec, tasks)
			return job, false, err
		}
	}
	if err := q.reserve(spec.Client); err != nil {
		return job, false, err
	}
	defer func() {
		if !created {
			q.release(spec.Client)
		}
	}()
	return q.make(ctx, spec, tasks)
}

// make makes a job for which there is room.
func (q *Queue) make(ctx context.Context, spec Spec, tasks iter.Seq2[[]byte, error]) (job Job, created bool, err error) {
	id, err := uuid.NewV7()
	if err != nil {
		return job, false, fmt.Errorf("making the id of a job: %w", err)
	}
	r := record{Job: Job{ID: id.String(), State: Queued, Created: now()}, Spec: spec}
	var digest []byte
	if r.Tasks, digest, err = q.writeTasks(ctx, r.ID, spec, tasks); err != nil {
		return job, false, errors.Join(err, q.erase(r.ID, false))
	}
	other, err := q.create(r, digest)
	if err == nil && other == nil {
		q.take(r)
		return r.Job, true, nil
	}
	if err = errors.Join(err, q.erase(r.ID, false)); err != nil {
		return job, false, err
	}
	if !bytes.Equal(other.Digest, digest) {
		return job, false, ErrKeyReused
	}
	job, err = q.Get(other.Job)
	return job, false, err
}

// reserve keeps room for another job of a client, while its tasks come, until it is
// taken or released. The error tells that the client can have none.
func (q *Queue) reserve(client string) error {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	if q.stopped {
		return ErrStopped
	}
	count := q.making[client]
	for _, l := range q.live {
		if l.Spec.Client == client {
			count++
		}
	}
	if count >= q.options.Unfinished {
		return ErrTooMany
	}
	q.making[client]++
	return nil
}

// release gives back the room of a job that was not made.
func (q *Queue) release(client string) {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	q.vacate(client)
}

// vacate counts a job less that is about to be made. The caller holds the mutex.
func (q *Queue) vacate(client string) {
	if q.making[client]--; q.making[client] == 0 {
		delete(q.making, client)
	}
}

// again gives the job of a key for tasks that come once more.
func (q *Queue) again(stands keyed, spec Spec, tasks iter.Seq2[[]byte, error]) (job Job, err error) {
	digest := newDigest(spec)
	for task, err := range tasks {
		if err != nil {
			return job, err
		}
		digest.add(task)
	}
	if !bytes.Equal(digest.sum(), stands.Digest) {
		return job, ErrKeyReused
	}
	return q.Get(stands.Job)
}

// writeTasks writes the tasks of a job that is not known yet.
func (q *Queue) writeTasks(ctx context.Context, id string, spec Spec, tasks iter.Seq2[[]byte, error]) (count int, sum []byte, err error) {
	batch, digest := q.db.NewWriteBatch(), newDigest(spec)
	defer batch.Cancel()
	for task, err := range tasks {
		if err == nil {
			err = cmp.Or(ctx.Err(), q.Room())
		}
		if err != nil {
			return 0, nil, err
		}
		digest.add(task)
		if err := batch.Set(numbered(taskPrefix, id, count), bytes.Clone(task)); err != nil {
			return 0, nil, fmt.Errorf("writing a task: %w", err)
		}
		count++
	}
	if err := batch.Flush(); err != nil {
		return 0, nil, fmt.Errorf("writing tasks: %w", err)
	}
	return count, digest.sum(), nil
}

// take begins to care for a job that was made, in the room that was reserved.
func (q *Queue) take(r record) {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	q.vacate(r.Spec.Client)
	q.live[r.ID] = newLive(r)
	q.schedule()
}

// schedule begins the jobs whose turn it is, the oldest first. The caller holds
// the mutex.
func (q *Queue) schedule() {
	if q.work == nil || q.stopped {
		return
	}
	running := map[string]int{}
	var queued []*live
	for _, l := range q.live {
		if l.cancel != nil {
			running[l.Spec.Client]++
		} else if !l.cancelled {
			queued = append(queued, l)
		}
	}
	slices.SortFunc(queued, func(a, b *live) int { return cmp.Compare(a.ID, b.ID) })
	for _, l := range queued {
		if running[l.Spec.Client] < q.options.Running {
			running[l.Spec.Client]++
			ctx, cancel := context.WithCancel(q.hard)
			l.cancel = cancel
			q.running.Go(func() { q.run(ctx, l) })
		}
	}
}

// Room tells whether the disk has room for more tasks and results. The error wraps
// kv.ErrFull when it has not.
func (q *Queue) Room() error { return q.db.Room() }

// Get gives a job.
func (q *Queue) Get(id string) (Job, error) {
	job, _, err := q.look(id)
	return job, err
}

// look gives a job and, until it has ended, what is closed by its next change.
func (q *Queue) look(id string) (job Job, changed <-chan struct{}, err error) {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	if l := q.live[id]; l != nil {
		if l.removed {
			return job, nil, ErrNotFound
		}
		return l.Job, l.changed, nil
	}
	if job, known := q.unsaved[id]; known {
		return job, nil, nil
	}
	r, err := q.read(id)
	return r.Job, nil, err
}

// List gives at most limit jobs, the newest first, those before an id unless it
// is empty.
func (q *Queue) List(before string, limit int) (list []Job, err error) {
	err = q.records(before, func(r record) bool {
		if len(list) < limit {
			list = append(list, r.Job)
		}
		return len(list) < limit
	})
	if err != nil {
		return nil, fmt.Errorf("listing the jobs: %w", err)
	}
	q.mutex.Lock()
	defer q.mutex.Unlock()
	for i := range list {
		if l := q.live[list[i].ID]; l != nil {
			list[i] = l.Job // how far it has come is known only here
		} else if job, known := q.unsaved[list[i].ID]; known {
			list[i] = job
		}
	}
	return list, nil
}

// Count is how many jobs are in each state that is not final.
func (q *Queue) Count() map[State]int {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	count := map[State]int{Queued: 0, Running: 0}
	for _, l := range q.live {
		count[l.State]++
	}
	return count
}

// Cancel ends a job; its results are kept. One that has ended stays as it is.
func (q *Queue) Cancel(id string) (Job, error) {
	if err := q.halt(id, false); err != nil {
		return Job{}, err
	}
	return q.Get(id)
}

// Remove ends a job and removes it with its results.
func (q *Queue) Remove(id string) error {
	r, err := q.read(id)
	if err != nil {
		return err
	}
	if err := q.halt(id, true); err != nil {
		return err
	}
	if err := errors.Join(q.remove(r), q.erase(id, true)); err != nil {
		return err
	}
	q.mutex.Lock()
	defer q.mutex.Unlock()
	delete(q.unsaved, id)
	return nil
}

// halt ends a job that is alive and returns when it has. One that is to be removed
// is not seen any more from now on. A job that runs is ended by what runs it, another
// one by the first who halts it.
func (q *Queue) halt(id string, remove bool) error {
	q.mutex.Lock()
	l := q.live[id]
	if l == nil {
		q.mutex.Unlock()
		return nil
	}
	if l.removed {
		q.mutex.Unlock()
		return ErrNotFound
	}
	mine := l.cancel == nil && !l.cancelled
	l.cancelled, l.removed = true, remove
	if l.cancel != nil {
		l.cancel()
	}
	q.change(l)
	q.mutex.Unlock()
	if mine {
		return q.end(l, Cancelled, "")
	}
	<-l.ended
	return nil
}

// change tells those who watch a job. The caller holds the mutex.
func (q *Queue) change(l *live) {
	close(l.changed)
	l.changed = make(chan struct{})
}

// end gives a job that is alive, and on which nobody works, its final state. An
// error leaves it in the database as it was, to be taken up after a restart.
func (q *Queue) end(l *live, state State, reason string) error {
	q.mutex.Lock()
	last := l.record
	last.State, last.Error, last.Ended = state, reason, new(now())
	q.mutex.Unlock()
	err := q.update(last)
	unsaved := err != nil
	if unsaved { // the next start finds the job as it was, with its tasks
		q.options.Log.Error("the end of a job could not be stored: it is taken up again when the service starts", "job", l.ID, "state", state, "error", err)
	} else if err = q.erase(l.ID, false); err != nil {
		q.options.Log.Error("the tasks of a job that has ended could not be removed", "job", l.ID, "error", err)
	}
	q.mutex.Lock()
	defer q.mutex.Unlock()
	delete(q.live, l.ID)
	if unsaved {
		q.unsaved[l.ID] = last.Job
	}
	close(l.ended)
	q.change(l)
	q.schedule()
	return err
}

// Watch gives a job as it is and again after changes, until it has ended or was
// removed, or an error.
func (q *Queue) Watch(ctx context.Context, id string) iter.Seq2[Job, error] {
	return func(yield func(Job, error) bool) {
		for {
			job, changed, err := q.look(id)
			if !yield(job, err) || err != nil || changed == nil {
				return
			}
			if err := q.pause(ctx, changed); err != nil {
				yield(job, err)
				return
			}
		}
	}
}

// Results gives the results of a job in the order of its tasks, from a number on.
// If wait is true it waits for those to come until the job has ended, else it ends
// at the first that is not there. Tasks of a job that was cancelled have none.
func (q *Queue) Results(ctx context.Context, id string, from int, wait bool) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for number := from; ; {
			job, changed, err := q.look(id)
			if err != nil {
				yield(nil, err)
				return
			}
			for ; number < job.Tasks; number++ {
				data, found, err := q.result(id, number)
				if err == nil && !found {
					if changed != nil {
						break
					}
					continue // of a job that has ended
				}
				if !yield(data, err) || err != nil {
					return
				}
			}
			if number >= job.Tasks || changed == nil || !wait {
				return
			}
			if err := q.pause(ctx, changed); err != nil {
				yield(nil, err)
				return
			}
		}
	}
}

// pause waits for a change. The error tells that the context has ended or the
// queue was stopped.
func (q *Queue) pause(ctx context.Context, changed <-chan struct{}) error {
	select {
	case <-changed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-q.life.Done():
		return ErrStopped
	}
}

const sweepInterval = 10 * time.Minute

// sweep removes from time to time the jobs that have been kept long enough.
func (q *Queue) sweep() {
	if q.options.Keep <= 0 {
		return
	}
	ticker := time.NewTicker(sweepInterval)
	defer ticker.Stop()
	for {
		_ = q.Sweep(now().Add(-q.options.Keep)) // what fails is tried again
		select {
		case <-q.life.Done():
			return
		case <-ticker.C:
		}
	}
}

// Sweep removes the jobs that ended before a time.
func (q *Queue) Sweep(before time.Time) error {
	var old []string
	err := q.records("", func(r record) bool {
		if r.Ended != nil && r.Ended.Before(before) {
			old = append(old, r.ID)
		}
		return true
	})
	for _, id := range old {
		err = errors.Join(err, q.Remove(id))
	}
	return err
}

// digest tells whether two requests to make a job are the same.
type digest struct{ hash hash.Hash }

func newDigest(spec Spec) digest {
	d := digest{sha256.New()}
	d.add(spec.Options)
	return d
}

// add adds a part with its length, so that no two lists of parts run together.
func (d digest) add(part []byte) {
	d.hash.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
	d.hash.Write(part)
}

func (d digest) sum() []byte { return d.hash.Sum(nil) }

func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
