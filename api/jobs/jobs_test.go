package jobs_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keci-kg/keci/api/jobs"
)

// tasks gives words as tasks.
func tasks(words ...string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for _, word := range words {
			if !yield([]byte(word), nil) {
				return
			}
		}
	}
}

// shout is a worker that answers in capitals. It fails at "bad", breaks the job at
// "broken" and waits for a signal, or the end, at "wait".
type shout struct {
	mutex  sync.Mutex
	worked []string
	signal chan struct{}
}

func (s *shout) work(ctx context.Context, client string, options, task []byte) (jobs.Result, error) {
	word := string(task)
	switch word {
	case "wait":
		select {
		case <-s.signal:
		case <-ctx.Done():
			return jobs.Result{}, ctx.Err()
		}
	case "broken":
		return jobs.Result{}, errors.New("the wheel is broken")
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.worked = append(s.worked, word)
	return jobs.Result{Data: []byte(client + ":" + string(options) + ":" + strings.ToUpper(word)), Failed: word == "bad"}, nil
}

func (s *shout) count() int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return len(s.worked)
}

func open(t *testing.T, dir string, options jobs.Options) *jobs.Queue {
	t.Helper()
	queue, err := jobs.Open(dir, options)
	if err != nil {
		t.Fatal(err)
	}
	return queue
}

func start(t *testing.T, options jobs.Options) (*jobs.Queue, *shout) {
	t.Helper()
	queue, worker := open(t, t.TempDir(), options), &shout{signal: make(chan struct{})}
	queue.Start(2, worker.work)
	t.Cleanup(func() {
		stopNow(queue)
		queue.Close()
	})
	return queue, worker
}

// stopNow breaks off what runs.
func stopNow(queue *jobs.Queue) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	queue.Stop(ctx)
}

func add(t *testing.T, queue *jobs.Queue, spec jobs.Spec, words ...string) jobs.Job {
	t.Helper()
	job, _, err := queue.Add(t.Context(), spec, tasks(words...))
	if err != nil {
		t.Fatal(err)
	}
	return job
}

// ended waits for the end of a job.
func ended(t *testing.T, queue *jobs.Queue, id string) (last jobs.Job) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for job, err := range queue.Watch(ctx, id) {
		if err != nil {
			t.Fatal(err)
		}
		last = job
	}
	if !last.State.Ended() || last.Ended == nil {
		t.Fatalf("job %+v has not ended", last)
	}
	return last
}

func results(t *testing.T, queue *jobs.Queue, id string, from int, wait bool) (lines []string) {
	t.Helper()
	for line, err := range queue.Results(t.Context(), id, from, wait) {
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(line))
	}
	return lines
}

func TestResultsComeInTheOrderOfTheTasks(t *testing.T) {
	queue, worker := start(t, jobs.DefaultOptions())
	job := add(t, queue, jobs.Spec{Client: "me", Options: []byte(`"o"`)}, "wait", "bad", "two", "three")
	if job.State != jobs.Queued || job.Tasks != 4 {
		t.Errorf("made as %+v", job)
	}
	for worker.count() < 3 { // the others overtake the first
		time.Sleep(time.Millisecond)
	}
	if got := results(t, queue, job.ID, 0, false); len(got) != 0 {
		t.Errorf("before the first is done: %q", got)
	}
	if got := results(t, queue, job.ID, 2, false); !slices.Equal(got, []string{`me:"o":TWO`, `me:"o":THREE`}) {
		t.Errorf("from the third: %q", got)
	}
	time.AfterFunc(20*time.Millisecond, func() { close(worker.signal) })
	want := []string{`me:"o":WAIT`, `me:"o":BAD`, `me:"o":TWO`, `me:"o":THREE`}
	if got := results(t, queue, job.ID, 0, true); !slices.Equal(got, want) {
		t.Errorf("while they come: %q", got)
	}
	last := ended(t, queue, job.ID)
	if last.State != jobs.Done || last.Done != 4 || last.Failed != 1 || last.Started == nil {
		t.Errorf("ended as %+v", last)
	}
	if got := results(t, queue, job.ID, 0, true); !slices.Equal(got, want) {
		t.Errorf("afterwards: %q", got)
	}
}

func TestJobsGoOnAfterARestart(t *testing.T) {
	dir := t.TempDir()
	queue, worker := open(t, dir, jobs.DefaultOptions()), &shout{signal: make(chan struct{})}
	queue.Start(1, worker.work)
	job := add(t, queue, jobs.Spec{Client: "me"}, "one", "bad", "wait", "four")
	waits := add(t, queue, jobs.Spec{Client: "other"}, "wait")
	for worker.count() < 2 {
		time.Sleep(time.Millisecond)
	}
	stopNow(queue)
	if got, err := queue.Get(job.ID); err != nil || got.State != jobs.Queued || got.Done != 2 {
		t.Errorf("stopped as %+v, %v", got, err)
	}
	if _, _, err := queue.Add(t.Context(), jobs.Spec{}, tasks("late")); !errors.Is(err, jobs.ErrStopped) {
		t.Errorf("adding to a stopped queue: %v", err)
	}
	if err := queue.Close(); err != nil {
		t.Fatal(err)
	}

	queue = open(t, dir, jobs.DefaultOptions())
	if got, err := queue.Get(job.ID); err != nil || got.State != jobs.Queued || got.Done != 2 || got.Failed != 1 {
		t.Errorf("after opening again: %+v, %v", got, err)
	}
	again := &shout{signal: make(chan struct{})}
	close(again.signal)
	queue.Start(1, again.work)
	if last := ended(t, queue, job.ID); last.State != jobs.Done || last.Done != 4 || last.Failed != 1 {
		t.Errorf("ended as %+v", last)
	}
	ended(t, queue, waits.ID)
	slices.Sort(again.worked)
	if !slices.Equal(again.worked, []string{"four", "wait", "wait"}) {
		t.Errorf("the second time %q were worked on", again.worked)
	}
	want := []string{"me::ONE", "me::BAD", "me::WAIT", "me::FOUR"}
	if got := results(t, queue, job.ID, 0, true); !slices.Equal(got, want) {
		t.Errorf("results %q", got)
	}
	queue.Stop(t.Context())
	if err := queue.Close(); err != nil {
		t.Error(err)
	}
}

func TestStopLetsFinishWhatWasBegun(t *testing.T) {
	queue, worker := start(t, jobs.DefaultOptions())
	job := add(t, queue, jobs.Spec{}, "wait", "wait", "three")
	for {
		if got, _ := queue.Get(job.ID); got.State == jobs.Running {
			break
		}
		time.Sleep(time.Millisecond)
	}
	time.AfterFunc(20*time.Millisecond, func() { close(worker.signal) })
	queue.Stop(t.Context())
	if got, err := queue.Get(job.ID); err != nil || got.Done != worker.count() || got.State == jobs.Running {
		t.Errorf("%d tasks were worked on: %+v, %v", worker.count(), got, err)
	}
}

func TestCancel(t *testing.T) {
	options := jobs.DefaultOptions()
	options.Running = 1
	queue, worker := start(t, options)
	runs := add(t, queue, jobs.Spec{}, "one", "wait", "wait", "four")
	queued := add(t, queue, jobs.Spec{}, "never")
	for worker.count() < 1 {
		time.Sleep(time.Millisecond)
	}
	for _, id := range []string{queued.ID, runs.ID, runs.ID} {
		job, err := queue.Cancel(id)
		if err != nil || job.State != jobs.Cancelled || job.Ended == nil {
			t.Errorf("cancelled: %+v, %v", job, err)
		}
	}
	if got := results(t, queue, runs.ID, 0, true); !slices.Equal(got, []string{"::ONE"}) {
		t.Errorf("what was done is lost: %q", got)
	}
	if got := results(t, queue, queued.ID, 0, true); got != nil || slices.Contains(worker.worked, "never") {
		t.Errorf("a job that was queued: %q, worked on %q", got, worker.worked)
	}
	if _, err := queue.Cancel("unknown"); !errors.Is(err, jobs.ErrNotFound) {
		t.Errorf("an unknown job: %v", err)
	}
}

// Whoever ends a job that waits for its turn, and how often: it ends once.
func TestCancelAndRemoveAtATime(t *testing.T) {
	options := jobs.DefaultOptions()
	options.Running = 1
	queue, _ := start(t, options)
	add(t, queue, jobs.Spec{}, "wait")
	for range 10 {
		job := add(t, queue, jobs.Spec{}, "never")
		var group sync.WaitGroup
		for i := range 8 {
			group.Go(func() {
				if i == 7 {
					if err := queue.Remove(job.ID); err != nil {
						t.Errorf("removing: %v", err)
					}
					return
				}
				ended, err := queue.Cancel(job.ID)
				if gone := errors.Is(err, jobs.ErrNotFound); !gone && (err != nil || ended.State != jobs.Cancelled) {
					t.Errorf("cancelled: %+v, %v", ended, err)
				}
			})
		}
		group.Wait()
		if _, err := queue.Get(job.ID); !errors.Is(err, jobs.ErrNotFound) {
			t.Errorf("after removing: %v", err)
		}
	}
}

func TestRemove(t *testing.T) {
	queue, _ := start(t, jobs.DefaultOptions())
	runs, done := add(t, queue, jobs.Spec{Key: "k"}, "wait"), add(t, queue, jobs.Spec{}, "two")
	ended(t, queue, done.ID)
	for _, job := range []jobs.Job{runs, done} {
		if err := queue.Remove(job.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := queue.Get(job.ID); !errors.Is(err, jobs.ErrNotFound) {
			t.Errorf("after removing: %v", err)
		}
		if err := queue.Remove(job.ID); !errors.Is(err, jobs.ErrNotFound) {
			t.Errorf("removing again: %v", err)
		}
	}
	if list, err := queue.List("", 10); err != nil || len(list) != 0 {
		t.Errorf("the list has %+v, %v", list, err)
	}
	if again := add(t, queue, jobs.Spec{Key: "k"}, "two"); again.ID == runs.ID {
		t.Error("the key of a removed job stands for it still")
	}
}

func TestJobThatCannotGoOn(t *testing.T) {
	var log bytes.Buffer
	options := jobs.DefaultOptions()
	options.Log = slog.New(slog.NewTextHandler(&log, nil))
	queue, _ := start(t, options)
	job := ended(t, queue, add(t, queue, jobs.Spec{}, "broken", "two").ID)
	if job.State != jobs.Failed || job.Error == "" || strings.Contains(job.Error, "wheel") {
		t.Errorf("ended as %+v", job)
	}
	if told := log.String(); !strings.Contains(told, job.ID) || !strings.Contains(told, "the wheel is broken") {
		t.Errorf("the log has %q", told)
	}
}

func TestKeys(t *testing.T) {
	queue, _ := start(t, jobs.DefaultOptions())
	spec := jobs.Spec{Client: "me", Key: "k"}
	first := add(t, queue, spec, "one", "two")
	again, created, err := queue.Add(t.Context(), spec, tasks("one", "two"))
	if err != nil || created || again.ID != first.ID {
		t.Errorf("the same again: %+v, %t, %v", again, created, err)
	}
	if _, _, err := queue.Add(t.Context(), spec, tasks("onetwo")); !errors.Is(err, jobs.ErrKeyReused) {
		t.Errorf("other tasks: %v", err)
	}
	if other := add(t, queue, jobs.Spec{Client: "other", Key: "k"}, "one", "two"); other.ID == first.ID {
		t.Error("two clients share a key")
	}

	var (
		group sync.WaitGroup
		ids   [8]string
	)
	for i := range ids {
		group.Go(func() {
			job, _, err := queue.Add(t.Context(), jobs.Spec{Client: "me", Key: "at a time"}, tasks("x"))
			if err != nil {
				t.Error(err)
			}
			ids[i] = job.ID
		})
	}
	group.Wait()
	if slices.ContainsFunc(ids[:], func(id string) bool { return id != ids[0] }) {
		t.Errorf("one key gave the jobs %q", ids)
	}
}

func TestLimits(t *testing.T) {
	queue, worker := start(t, jobs.Options{Unfinished: 2, Running: 1})
	first, second := add(t, queue, jobs.Spec{Client: "me"}, "wait"), add(t, queue, jobs.Spec{Client: "me"}, "two")
	if _, _, err := queue.Add(t.Context(), jobs.Spec{Client: "me"}, tasks("three")); !errors.Is(err, jobs.ErrTooMany) {
		t.Errorf("the third: %v", err)
	}
	ended(t, queue, add(t, queue, jobs.Spec{Client: "other"}, "one").ID) // does not wait for me
	if job, err := queue.Get(second.ID); err != nil || job.State != jobs.Queued {
		t.Errorf("the second: %+v, %v", job, err)
	}
	close(worker.signal)
	ended(t, queue, first.ID)
	ended(t, queue, second.ID)
	add(t, queue, jobs.Spec{Client: "me"}, "three")
}

// A request that is sent again gets its job also when there is no room for another.
func TestKeyOfTheLastJobThatIsAllowed(t *testing.T) {
	queue, _ := start(t, jobs.Options{Unfinished: 1, Running: 1})
	spec := jobs.Spec{Client: "me", Key: "k"}
	first := add(t, queue, spec, "wait")
	again, created, err := queue.Add(t.Context(), spec, tasks("wait"))
	if err != nil || created || again.ID != first.ID {
		t.Errorf("the same again: %+v, %t, %v", again, created, err)
	}
}

// Jobs whose tasks are still coming count too.
func TestLimitOfJobsThatAreMadeAtATime(t *testing.T) {
	queue, _ := start(t, jobs.Options{Unfinished: 2, Running: 1})
	begun, goOn := make(chan struct{}), make(chan error)
	slow := func(yield func([]byte, error) bool) {
		begun <- struct{}{}
		yield([]byte("wait"), <-goOn)
	}
	added := make(chan error)
	for range 2 {
		go func() {
			_, _, err := queue.Add(t.Context(), jobs.Spec{Client: "me"}, slow)
			added <- err
		}()
		<-begun
	}
	third := func() error {
		_, _, err := queue.Add(t.Context(), jobs.Spec{Client: "me"}, tasks("wait"))
		return err
	}
	if err := third(); !errors.Is(err, jobs.ErrTooMany) {
		t.Errorf("the third beside two that are being made: %v", err)
	}
	broken := errors.New("broken")
	goOn <- broken
	goOn <- nil
	if first, second := <-added, <-added; !errors.Is(errors.Join(first, second), broken) || first != nil && second != nil {
		t.Errorf("the two were made with %v and %v", first, second)
	}
	if err := third(); err != nil {
		t.Errorf("in the room of the one that broke off: %v", err)
	}
	if err := third(); !errors.Is(err, jobs.ErrTooMany) {
		t.Errorf("the third beside two that were made: %v", err)
	}
}

func TestTasksThatCannotBeReadMakeNoJob(t *testing.T) {
	queue, _ := start(t, jobs.DefaultOptions())
	broken := errors.New("broken")
	_, _, err := queue.Add(t.Context(), jobs.Spec{}, func(yield func([]byte, error) bool) {
		_ = yield([]byte("one"), nil) && yield(nil, broken)
	})
	if !errors.Is(err, broken) {
		t.Errorf("error = %v", err)
	}
	if list, err := queue.List("", 10); err != nil || len(list) != 0 {
		t.Errorf("the list has %+v, %v", list, err)
	}
}

func TestListInPages(t *testing.T) {
	queue, _ := start(t, jobs.Options{Unfinished: 10, Running: 1})
	var want []string
	for i := range 5 {
		want = append([]string{add(t, queue, jobs.Spec{Client: fmt.Sprint(i)}, "x").ID}, want...)
	}
	var got []string
	for before := ""; ; before = got[len(got)-1] {
		page, err := queue.List(before, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, job := range page {
			got = append(got, job.ID)
		}
		if len(page) < 2 {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("listed %q, want %q", got, want)
	}
}

func TestSweep(t *testing.T) {
	queue, _ := start(t, jobs.DefaultOptions())
	done, waits := add(t, queue, jobs.Spec{}, "one"), add(t, queue, jobs.Spec{}, "wait")
	ended(t, queue, done.ID)
	if err := queue.Sweep(time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := queue.Get(done.ID); !errors.Is(err, jobs.ErrNotFound) {
		t.Errorf("a job that ended long ago: %v", err)
	}
	if _, err := queue.Get(waits.ID); err != nil {
		t.Errorf("a job that runs: %v", err)
	}
}
