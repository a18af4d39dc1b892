package neo4j_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/neo4j"
	"github.com/keci-kg/keci/graph/storetest"
)

// crashVariable asks for the tests that start servers of their own: they take
// minutes.
const crashVariable = "KECI_TEST_NEO4J_CRASH"

// ownServer is a server that the test may do anything to.
type ownServer struct {
	t           *testing.T
	home        string
	environment []string
	address     neo4j.Address
}

const ownPassword = "a password of tests"

func newOwnServer(t *testing.T) *ownServer {
	t.Helper()
	if os.Getenv(crashVariable) == "" {
		t.Skipf("%s is not set: no servers are started", crashVariable)
	}
	bolt, http := freePort(t), freePort(t)
	s := &ownServer{t: t, home: filepath.Join(t.TempDir(), "neo4j"), address: neo4j.Address{URL: fmt.Sprintf("bolt://127.0.0.1:%d", bolt), User: "neo4j"}}
	s.environment = append(os.Environ(), "NEO4J_PASSWORD="+ownPassword, "NEO4J_HEAP=512m",
		fmt.Sprintf("NEO4J_BOLT_PORT=%d", bolt), fmt.Sprintf("NEO4J_HTTP_PORT=%d", http))
	t.Cleanup(func() { s.script("kill") })
	return s
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

// with adds settings to those of the server, which is started afterwards.
func (s *ownServer) with(settings ...string) {
	s.environment = append(s.environment, "NEO4J_SETTINGS="+strings.Join(settings, "\n"))
}

// script runs scripts/neo4j/neo4j.sh.
func (s *ownServer) script(command string, arguments ...string) {
	s.t.Helper()
	cmd := exec.Command(filepath.Join("..", "..", "scripts", "neo4j", "neo4j.sh"), append([]string{command, s.home}, arguments...)...)
	cmd.Env = s.environment
	log, err := os.CreateTemp("", "keci-neo4j-script-*") // the server keeps it open: a pipe would not end
	if err != nil {
		s.t.Fatal(err)
	}
	defer os.Remove(log.Name())
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Run(); err != nil {
		text, _ := os.ReadFile(log.Name())
		s.t.Errorf("neo4j.sh %s: %v\n%s", command, err, bytes.TrimSpace(text))
	}
}

func (s *ownServer) open() *neo4j.Store {
	s.t.Helper()
	store, err := neo4j.Open(s.t.Context(), s.address, ownPassword)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { store.Close() })
	return store
}

// contents tells what a store holds, by going through it.
func contents(t *testing.T, store *neo4j.Store, fixture storetest.Fixture) {
	t.Helper()
	var cuis []graph.CUI
	for _, concept := range fixture.Concepts {
		cuis = append(cuis, concept.CUI)
	}
	sub, err := store.Subgraph(t.Context(), cuis)
	if err != nil {
		t.Fatal(err)
	}
	if len(sub.Concepts) != len(fixture.Concepts) || len(sub.Relations) != len(fixture.Relations) {
		t.Errorf("there are %d concepts and %d relations, want %d and %d", len(sub.Concepts), len(sub.Relations), len(fixture.Concepts), len(fixture.Relations))
	}
	if info, err := store.Info(t.Context()); err != nil || info.Digest != fixture.Info.Digest {
		t.Errorf("the release is %+v, %v", info, err)
	}
	found, err := store.Search(t.Context(), "concept 17", 1)
	if err != nil || len(found) != 1 || found[0].Name != "concept 17" {
		t.Errorf("found %+v, %v", found, err)
	}
}

// TestImportFilesHoldTheSame imports the files and compares with the release.
func TestImportFilesHoldTheSame(t *testing.T) {
	server, fixture := newOwnServer(t), chain(100)
	fixture.Concepts[3].Synonyms = []string{`with "quotes", and commas`, `back\slash`}
	fixture.Concepts[3].Definition = "Two\nlines."
	fixture.Concepts[3].Codes = []graph.Code{{Source: "TEST", Code: "A:1"}}
	fixture.Retired = []graph.Retired{{CUI: "K0", Into: "C0000007", Release: "2025AB"}, {CUI: "K1"}}
	release := storetest.Release(fixture)
	arguments, err := neo4j.WriteImportFiles(t.Context(), release, filepath.Join(t.TempDir(), `import "files"`), "neo4j", nil)
	if err != nil {
		t.Fatal(err)
	}
	server.script("admin", arguments...)
	server.script("start")
	store := server.open()
	if _, err := store.Load(t.Context(), release, neo4j.LoadOptions{Progress: func(step string, _, _ int) {
		if !strings.Contains(step, "index") {
			t.Errorf("%s was written after the import", step)
		}
	}}); err != nil {
		t.Fatal(err)
	}
	contents(t, store, fixture)
	for _, want := range fixture.Retired {
		if got, err := store.Successor(t.Context(), want.CUI); err != nil || got != want {
			t.Errorf("retired: %+v, %v, want %+v", got, err, want)
		}
	}
	got, err := store.Concept(t.Context(), fixture.Concepts[3].CUI)
	if err != nil {
		t.Fatal(err)
	}
	if want := fixture.Concepts[3]; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("imported %+v, want %+v", got, want)
	}
}
