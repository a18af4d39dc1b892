// Package jobs works through lists of tasks in the background. Jobs, what is left
// of their tasks and the results lie in a database, so that a job goes on where it
// was after a restart. What a task is, and how it is worked on, is for others to say.
package jobs

import (
	"encoding/json"
	"errors"
	"time"
)

// State is how far a job has come.
type State string

// The states of a job. The last three are final.
const (
	Queued    State = "queued"
	Running   State = "running"
	Done      State = "done"      // every task has a result, be it a failure
	Cancelled State = "cancelled" // results that were there are kept
	Failed    State = "failed"    // the job itself could not go on; the log of the service says why
)

// Job is a list of tasks that is worked through.
type Job struct {
	ID      string     `json:"id"`
	State   State      `json:"state" enum:"queued,running,done,cancelled,failed"`
	Tasks   int        `json:"documents" doc:"How many documents the job has."`
	Done    int        `json:"done" doc:"How many of them have a result, be it a failure."`
	Failed  int        `json:"failed" doc:"How many of those results are failures."`
	Created time.Time  `json:"createdAt"`
	Started *time.Time `json:"startedAt,omitempty"`
	Ended   *time.Time `json:"endedAt,omitempty"`
	Error   string     `json:"error,omitempty" doc:"That the job failed as a whole: the log of the service says why."`
}

// Ended reports whether nothing more will happen to a job.
func (s State) Ended() bool { return s == Done || s == Cancelled || s == Failed }

// Spec says what shall be done with the tasks of a new job, and for whom.
type Spec struct {
	Client  string          `json:"client"`            // jobs are limited, and work is shared, by client
	Options json.RawMessage `json:"options,omitempty"` // for the worker
	// Key, if it is not empty, names the request to make the job: the same client
	// gets the same job when it sends it again.
	Key string `json:"key,omitempty"`
}

// Result is what became of a task.
type Result struct {
	Data   []byte // one line
	Failed bool
}

// Errors of a Queue.
var (
	ErrNotFound  = errors.New("there is no such job")
	ErrTooMany   = errors.New("too many jobs of the client are not done yet")
	ErrKeyReused = errors.New("the key was used for another job")
	ErrStopped   = errors.New("the jobs have been stopped")
)
