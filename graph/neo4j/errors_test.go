package neo4j_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/neo4j"
	"github.com/keci-kg/keci/graph/neo4j/neo4jtest"
)

func TestParseAddress(t *testing.T) {
	for text, want := range map[string]neo4j.Address{
		"bolt://localhost:7687":           {URL: "bolt://localhost:7687", User: "neo4j"},
		"neo4j+s://ann@db.example/papers": {URL: "neo4j+s://db.example", User: "ann", Database: "papers"},
	} {
		got, err := neo4j.ParseAddress(text)
		if err != nil || got != want {
			t.Errorf("ParseAddress(%q) = %+v, %v, want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "localhost:7687", "http://localhost", "bolt://", "bolt://h/a/b", "bolt://h?x=1", "bolt://u:geheim@h", "bolt://u:geheim@h:port"} {
		_, err := neo4j.ParseAddress(text)
		if err == nil || strings.Contains(err.Error(), "geheim") {
			t.Errorf("ParseAddress(%q): error %v, want one without the password", text, err)
		}
	}
}

func TestOpenTellsThatNoServerAnswers(t *testing.T) {
	_, err := neo4j.Open(t.Context(), neo4j.Address{URL: "bolt://127.0.0.1:1"}, "geheim")
	if !errors.Is(err, graph.ErrUnavailable) || !strings.Contains(err.Error(), "bolt://127.0.0.1:1 does not answer") || strings.Contains(err.Error(), "geheim") {
		t.Errorf("error %v", err)
	}
}

// What can be mended at the server is tried again until it is.
func TestFaultsOfTheServerPass(t *testing.T) {
	for _, err := range []error{neo4j.ErrLogin, neo4j.ErrStopped, neo4j.ErrReadOnly} {
		if !errors.Is(err, graph.ErrUnavailable) {
			t.Errorf("a database that %v counts as available", err)
		}
	}
}

func TestOpenTellsThatThePasswordIsWrong(t *testing.T) {
	server := neo4jtest.Use(t)
	if server.Password == "" {
		t.Skip("the server asks for no password")
	}
	_, err := neo4j.Open(t.Context(), server.Address, "geheim, but wrong")
	if !errors.Is(err, neo4j.ErrLogin) || !errors.Is(err, graph.ErrUnavailable) || strings.Contains(err.Error(), "geheim") {
		t.Errorf("error %v", err)
	}
	_, err = neo4j.Open(t.Context(), server.Address, "")
	if !errors.Is(err, neo4j.ErrLogin) {
		t.Errorf("no password: error %v", err)
	}
}

func TestOpenTellsThatThereIsNoSuchDatabase(t *testing.T) {
	server := neo4jtest.Use(t)
	address := server.Address
	address.Database = "nothing"
	if _, err := neo4j.Open(t.Context(), address, server.Password); err == nil || !strings.Contains(err.Error(), `no database "nothing"`) {
		t.Errorf("error %v", err)
	}
}
