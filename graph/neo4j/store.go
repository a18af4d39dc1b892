// Package neo4j keeps a knowledge base, and what was extracted beside it, in a
// Neo4j database (5.26 or later), where analysts find both in one graph:
//
//	(:Concept {cui, name, synonyms, semanticTypes, definition, sources, codes})
//	(:SemanticType {tui, abbreviation, name, group, treeNumber, definition})
//	(:Concept)-[:HAS_TYPE]->(:SemanticType)
//	(:Concept)-[:<LABEL> {label, rel, sources}]->(:Concept)
//	(:SemanticType)-[:<LABEL> {label}]->(:SemanticType)
//	(:Retired {cui, release})-[:REPLACED_BY]->(:Concept)
//	(:Release {name, digest, complete, loadedAt, …})
//	(:Document {id, title, text, submittedAt, model, modelDigest, kb, kbDigest})
//	(:Document)-[:HAS_MENTION]->(:Mention {id, start, end, text, type, score, initialType, initialScore, negated, final, …})
//	(:Mention)-[:REFERS_TO {rank, weight, score, confidence, matched, variant, path, retired, …}]->(:Concept)
//	(:Mention)-[:<LABEL> {id, label, directed, score, initialScore, model}]->(:Mention)
//	(:Concept)-[:EXTRACTED {label, directed, documents, mentions, maxScore, noisyOr}]->(:Concept)
//
// <LABEL> is the label of the relation in capitals, with _ for what is neither a
// letter nor a digit. A concept that documents name and the release lacks has the
// label Unlisted as well. What was extracted about a retired concept hangs on the
// one that took its place, and REFERS_TO remembers the former; where nothing took
// its place the retired one is Unlisted.
package neo4j

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"
	"github.com/neo4j/neo4j-go-driver/v5/neo4j/config"

	"github.com/keci-kg/keci/graph"
)

// Store is a graph.Store in a Neo4j database. It is safe for concurrent use.
type Store struct {
	driver  driver.DriverWithContext
	address Address
}

var _ graph.Store = (*Store)(nil)

// retryTime is how long a transaction is tried again that failed for a passing reason.
const retryTime = 5 * time.Second

// Open connects to the database at an address. An empty password means that the
// server asks for no login. The error wraps graph.ErrUnavailable when no server
// answers.
func Open(ctx context.Context, address Address, password string) (*Store, error) {
	auth := driver.NoAuth()
	if password != "" {
		auth = driver.BasicAuth(address.User, password, "")
	}
	d, err := driver.NewDriverWithContext(address.URL, auth, func(c *config.Config) {
		c.MaxTransactionRetryTime = retryTime
		c.SocketConnectTimeout = 5 * time.Second
		c.ConnectionAcquisitionTimeout = 30 * time.Second
		c.UserAgent = "keci"
	})
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", address, err)
	}
	s := &Store{d, address}
	if err := d.VerifyConnectivity(ctx); err != nil {
		d.Close(ctx)
		return nil, s.explain(err, "connecting")
	}
	if err := s.createConstraints(ctx); err != nil {
		d.Close(ctx)
		return nil, err
	}
	return s, nil
}

// Close ends the connections.
func (s *Store) Close() error { return s.driver.Close(context.Background()) }

// read runs a query of reading and gives its records.
func (s *Store) read(ctx context.Context, query string, params map[string]any) (records []*driver.Record, err error) {
	err = s.readWith(ctx, func(tx driver.ManagedTransaction) error {
		records, err = collect(ctx, tx, query, params)
		return err
	})
	return records, err
}

// readWith reads in one transaction.
func (s *Store) readWith(ctx context.Context, work func(tx driver.ManagedTransaction) error) error {
	return s.transact(ctx, driver.AccessModeRead, driver.SessionWithContext.ExecuteRead, work)
}

// overtaken are the faults of a transaction that met the work of another one,
// committed in between; when it is run again it sees what that has done.
var overtaken = map[string]bool{
	"Neo.ClientError.Statement.EntityNotFound":          true,
	"Neo.ClientError.Schema.ConstraintValidationFailed": true,
}

// errOvertaken is the same, seen by ourselves: a query sees what others commit while it
// runs, and what it sets on a node that was deleted meanwhile is passed over in silence.
var errOvertaken = errors.New("another transaction changed what this one had read")

const maxOvertaken = 10

// write runs work in one transaction, which is tried again when it fails for a
// passing reason.
func (s *Store) write(ctx context.Context, work func(tx driver.ManagedTransaction) error) error {
	return s.transact(ctx, driver.AccessModeWrite, driver.SessionWithContext.ExecuteWrite, work)
}

// transact runs work in one transaction, and again when another one has overtaken it.
func (s *Store) transact(ctx context.Context, mode driver.AccessMode,
	execute func(driver.SessionWithContext, context.Context, driver.ManagedTransactionWork, ...func(*driver.TransactionConfig)) (any, error),
	work func(tx driver.ManagedTransaction) error) error {
	session := s.driver.NewSession(ctx, driver.SessionConfig{DatabaseName: s.address.Database, AccessMode: mode})
	defer session.Close(context.WithoutCancel(ctx))
	for attempt := 1; ; attempt++ {
		_, err := execute(session, ctx, func(tx driver.ManagedTransaction) (any, error) { return nil, work(tx) }, boundTo(ctx))
		if err = lastFault(err); !isOvertaken(err) || attempt == maxOvertaken {
			return err
		}
	}
}

func isOvertaken(err error) bool {
	var fault *driver.Neo4jError
	return errors.Is(err, errOvertaken) || errors.As(err, &fault) && overtaken[fault.Code]
}

// boundTo makes the server give a transaction up when the time of the context is over.
func boundTo(ctx context.Context) func(*driver.TransactionConfig) {
	return func(c *driver.TransactionConfig) {
		if deadline, ok := ctx.Deadline(); ok {
			c.Timeout = max(time.Until(deadline), time.Millisecond)
		}
	}
}

// execute runs a statement that is no part of a transaction of ours, as Neo4j
// asks for changes of the schema.
func (s *Store) execute(ctx context.Context, statement string) error {
	session := s.driver.NewSession(ctx, driver.SessionConfig{DatabaseName: s.address.Database})
	defer session.Close(context.WithoutCancel(ctx))
	result, err := session.Run(ctx, statement, nil)
	if err == nil {
		_, err = result.Consume(ctx)
	}
	return err
}

func collect(ctx context.Context, tx driver.ManagedTransaction, query string, params map[string]any) ([]*driver.Record, error) {
	result, err := tx.Run(ctx, query, params)
	if err != nil {
		return nil, err
	}
	return result.Collect(ctx)
}

// run runs a query whose records do not matter.
func run(ctx context.Context, tx driver.ManagedTransaction, query string, params map[string]any) error {
	result, err := tx.Run(ctx, query, params)
	if err != nil {
		return err
	}
	_, err = result.Consume(ctx)
	return err
}

// relationshipType is the type of the relationships with a label.
func relationshipType(label string) string {
	name := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToUpper(r)
		}
		return '_'
	}, label)
	if name == "" {
		return "_"
	}
	return name
}
