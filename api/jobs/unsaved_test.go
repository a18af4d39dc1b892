package jobs

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
)

// TestEndThatCannotBeStored: whoever watches a job hears that it has ended, also where the
// database is gone by then, and the log tells of it.
func TestEndThatCannotBeStored(t *testing.T) {
	var log bytes.Buffer
	q, err := Open(t.TempDir(), Options{Unfinished: 1, Running: 1, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	q.Start(1, func(context.Context, string, []byte, []byte) (Result, error) {
		return Result{Data: []byte("done")}, q.db.Close()
	})
	job, _, err := q.Add(t.Context(), Spec{}, func(yield func([]byte, error) bool) { yield([]byte("task"), nil) })
	if err != nil {
		t.Fatal(err)
	}
	var last Job
	for job, err := range q.Watch(t.Context(), job.ID) {
		if err != nil {
			t.Fatal(err)
		}
		last = job
	}
	if last.State != Failed || last.Ended == nil {
		t.Errorf("it ended as %+v", last)
	}
	if again, err := q.Get(job.ID); err != nil || again.State != Failed {
		t.Errorf("afterwards it is %+v, %v", again, err)
	}
	if count := q.Count(); count[Running] != 0 || count[Queued] != 0 {
		t.Errorf("counted as %v", count)
	}
	q.Stop(t.Context())
	if told := log.String(); !strings.Contains(told, "could not be stored") || !strings.Contains(told, job.ID) {
		t.Errorf("the log has %q", told)
	}
}
