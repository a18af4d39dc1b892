package neo4j

import (
	"context"
	"errors"
	"fmt"
	"strings"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"github.com/keci-kg/keci/graph"
)

// ErrLogin is returned, wrapped, when a user or password is wrong or missing.
var ErrLogin = errors.New("refuses the login")

// explain says what was being done, where, and for the faults that a user can
// mend, how.
func (s *Store) explain(err error, doing string, args ...any) error {
	if err == nil {
		return nil
	}
	doing = fmt.Sprintf(doing, args...)
	var (
		fault   *driver.Neo4jError
		lost    *driver.ConnectivityError
		limited *driver.TransactionExecutionLimit
	)
	switch {
	case errors.Is(err, graph.ErrNotFound), errors.Is(err, graph.ErrConflict):
		return fmt.Errorf("%s: %w", doing, err)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s in Neo4j at %s: %w", doing, s.address, err)
	case errors.As(err, &limited) && len(limited.Errors) > 0:
		// What failed again and again is told, not that it did.
		return s.explain(limited.Errors[len(limited.Errors)-1], "%s", doing)
	case isPasswordFault(err):
		return fmt.Errorf("%s: Neo4j at %s %w as user %q: give the right password", doing, s.address, ErrLogin, s.address.User)
	case errors.As(err, &lost):
		return fmt.Errorf("%s: Neo4j at %s does not answer: start it, or correct the address (%w: %w)", doing, s.address, graph.ErrUnavailable, lost.Inner)
	case errors.As(err, &fault) && isReadOnly(fault):
		return fmt.Errorf("%s: the database at %s is read-only: allow writing to it, or give a user who may write (%w)", doing, s.address, err)
	case errors.As(err, &fault) && fault.Code == "Neo.ClientError.Database.DatabaseNotFound":
		return fmt.Errorf("%s: Neo4j at %s has no database %q (%w)", doing, s.address, s.address.Database, err)
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

func isReadOnly(fault *driver.Neo4jError) bool {
	return strings.Contains(fault.Code, "ReadOnly") || fault.Code == "Neo.ClientError.Security.Forbidden" ||
		strings.Contains(strings.ToLower(fault.Msg), "read-only")
}

// isLost tells that the outcome is not known: the connection went while the
// transaction was under way, maybe after it was committed.
func isLost(err error) bool {
	var lost *driver.ConnectivityError
	return errors.As(err, &lost) || driver.IsRetryable(err)
}
