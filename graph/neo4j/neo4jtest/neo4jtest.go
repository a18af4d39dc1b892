// Package neo4jtest lends tests the Neo4j server that CI starts.
package neo4jtest

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gofrs/flock"
	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"github.com/keci-kg/keci/graph/neo4j"
)

const (
	// AddressVariable names the server. Its database is emptied by the tests.
	AddressVariable = "KECI_TEST_NEO4J"
	// PasswordVariable holds the password, as for the program itself.
	PasswordVariable = "KECI_NEO4J_PASSWORD"
)

// Server is a server with an empty database, for one test alone.
type Server struct {
	Address  neo4j.Address
	Password string

	driver driver.DriverWithContext
}

// Use gives the server to the test, as the only one of all packages, or skips the
// test where there is none.
func Use(t testing.TB) *Server {
	t.Helper()
	text := os.Getenv(AddressVariable)
	if text == "" {
		t.Skipf("%s names no server: start one with scripts/neo4j/neo4j.sh", AddressVariable)
	}
	address, err := neo4j.ParseAddress(text)
	if err != nil {
		t.Fatalf("%s: %v", AddressVariable, err)
	}
	lock := flock.New(filepath.Join(os.TempDir(), "keci-test-neo4j.lock"))
	if _, err := lock.TryLockContext(t.Context(), 50*time.Millisecond); err != nil {
		t.Fatalf("waiting for other tests to be done with the server: %v", err)
	}
	t.Cleanup(func() { lock.Unlock() })
	s := &Server{Address: address, Password: os.Getenv(PasswordVariable)}
	auth := driver.NoAuth()
	if s.Password != "" {
		auth = driver.BasicAuth(address.User, s.Password, "")
	}
	if s.driver, err = driver.NewDriverWithContext(address.URL, auth); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.driver.Close(context.Background()) })
	s.Empty(t)
	return s
}

// Open opens the store, until the test ends.
func (s *Server) Open(t testing.TB) *neo4j.Store {
	t.Helper()
	store, err := neo4j.Open(t.Context(), s.Address, s.Password)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

// Empty removes all that the database holds.
func (s *Server) Empty(t testing.TB) {
	t.Helper()
	s.Run(t, "MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 1000 ROWS", nil)
}

// Run runs a query of the test's own and gives its records.
func (s *Server) Run(t testing.TB, query string, params map[string]any) []*driver.Record {
	t.Helper()
	records, _ := s.run(t, query, params)
	return records
}

// Profile runs a query and gives what each step of it did.
func (s *Server) Profile(t testing.TB, query string, params map[string]any) driver.ProfiledPlan {
	t.Helper()
	_, summary := s.run(t, "PROFILE "+query, params)
	return summary.Profile()
}

func (s *Server) run(t testing.TB, query string, params map[string]any) ([]*driver.Record, driver.ResultSummary) {
	t.Helper()
	session := s.driver.NewSession(t.Context(), driver.SessionConfig{DatabaseName: s.Address.Database})
	defer session.Close(t.Context())
	result, err := session.Run(t.Context(), query, params)
	if err != nil {
		t.Fatalf("%v\n%s", err, query)
	}
	records, err := result.Collect(t.Context())
	if err != nil {
		t.Fatalf("%v\n%s", err, query)
	}
	summary, err := result.Consume(t.Context())
	if err != nil {
		t.Fatalf("%v\n%s", err, query)
	}
	return records, summary
}
