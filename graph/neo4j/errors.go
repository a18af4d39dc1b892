package neo4j

import (
	"context"
	"errors"
	"fmt"
	"strings"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"github.com/keci-kg/keci/graph"
)

// Faults that whoever runs the database can mend: until then it is unavailable.
var (
	// ErrLogin is returned, wrapped, when a user or password is wrong or missing.
	ErrLogin error = mendable("refuses the login")

	// ErrStopped is returned, wrapped, when the database has met a fault of its own,
	// as a full disk is, and serves nobody until its server is started anew.
	ErrStopped error = mendable("has stopped the database after a fault of its own")

	// ErrReadOnly is returned, wrapped, when nothing may be written.
	ErrReadOnly error = mendable("is read-only")
)

type mendable string

func (m mendable) Error() string { return string(m) }

func (mendable) Unwrap() error { return graph.ErrUnavailable }

// ErrMemory is returned, wrapped, when a transaction needs more memory than the
// server grants it.
var ErrMemory = errors.New("does not have the memory for the transaction")

// explain says what was being done, where, and for the faults that a user can
// mend, how.
func (s *Store) explain(err error, doing string, args ...any) error {
	if err == nil {
		return nil
	}
	doing = fmt.Sprintf(doing, args...)
	var (
		fault *driver.Neo4jError
		lost  *driver.ConnectivityError
	)
	switch {
	case errors.Is(err, graph.ErrNotFound), errors.Is(err, graph.ErrConflict):
		return fmt.Errorf("%s: %w", doing, err)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s in Neo4j at %s: %w", doing, s.address, err)
	case isPasswordFault(err):
		return fmt.Errorf("%s: Neo4j at %s %w as user %q: give the right password", doing, s.address, ErrLogin, s.address.User)
	case errors.As(err, &lost):
		return fmt.Errorf("%s: Neo4j at %s does not answer: start it, or correct the address (%w: %w)", doing, s.address, graph.ErrUnavailable, lost.Inner)
	case errors.As(err, &fault) && isReadOnly(fault):
		return fmt.Errorf("%s: the database at %s %w: allow writing to it, or give a user who may write (%w)", doing, s.address, ErrReadOnly, err)
	case errors.As(err, &fault) && fault.Code == "Neo.ClientError.Database.DatabaseNotFound":
		return fmt.Errorf("%s: Neo4j at %s has no database %q (%w)", doing, s.address, s.address.Database, err)
	case errors.As(err, &fault) && isStopped(fault):
		return fmt.Errorf("%s: Neo4j at %s %w: look into its log whether its disk is full, make room, and start it again (%w)", doing, s.address, ErrStopped, err)
	case isMemoryFault(err):
		return fmt.Errorf("%s: Neo4j at %s %w: raise db.memory.transaction.max or server.memory.heap.max_size there, or write less at a time (%w)",
			doing, s.address, ErrMemory, err)
	case driver.IsRetryable(err):
		return fmt.Errorf("%s in Neo4j at %s: %w: %w", doing, s.address, graph.ErrUnavailable, err)
	}
	return fmt.Errorf("%s in Neo4j at %s: %w", doing, s.address, err)
}

func isPasswordFault(err error) bool {
	var (
		fault   *driver.Neo4jError
		refused *driver.InvalidAuthenticationError
		expired *driver.TokenExpiredError
	)
	return errors.As(err, &refused) || errors.As(err, &expired) ||
		errors.As(err, &fault) && strings.HasPrefix(fault.Code, "Neo.ClientError.Security.") && fault.Code != "Neo.ClientError.Security.Forbidden"
}

func isMemoryFault(err error) bool {
	var fault *driver.Neo4jError
	return errors.As(err, &fault) && fault.Code == "Neo.TransientError.General.MemoryPoolOutOfMemoryError"
}

// isStopped tells a fault in writing to the disk, and what the database says after it.
func isStopped(fault *driver.Neo4jError) bool {
	switch fault.Code {
	case "Neo.DatabaseError.Transaction.TransactionLogError", "Neo.DatabaseError.Transaction.TransactionCommitFailed":
		return true
	}
	return strings.Contains(fault.Msg, "critical error, and needs to be restarted")
}

func isReadOnly(fault *driver.Neo4jError) bool {
	return strings.Contains(fault.Code, "ReadOnly") || fault.Code == "Neo.ClientError.Security.Forbidden" ||
		strings.Contains(strings.ToLower(fault.Msg), "read-only")
}

// isLost tells that the outcome is not known: the connection went while the
// transaction was under way, maybe after it was committed.
func isLost(err error) bool {
	var lost *driver.ConnectivityError
	return errors.As(err, &lost) || driver.IsRetryable(err) && !isMemoryFault(err)
}

// lastFault is what a transaction failed for again and again, rather than that it
// did. What the driver tries again is a fault of the server, or else of the way to it.
func lastFault(err error) error {
	var limited *driver.TransactionExecutionLimit
	if !errors.As(err, &limited) || len(limited.Errors) == 0 {
		return err
	}
	last := limited.Errors[len(limited.Errors)-1]
	var (
		fault *driver.Neo4jError
		lost  *driver.ConnectivityError
	)
	if errors.As(last, &fault) || errors.As(last, &lost) || errors.Is(last, context.Canceled) || errors.Is(last, context.DeadlineExceeded) {
		return last
	}
	return &driver.ConnectivityError{Inner: last}
}
