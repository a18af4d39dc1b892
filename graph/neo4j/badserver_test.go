package neo4j_test

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/neo4j"
	"github.com/keci-kg/keci/graph/storetest"
)

// mustTell checks an error of a load: what it is, and that it names the server.
func mustTell(t *testing.T, err, want error, server *ownServer, words ...string) {
	t.Helper()
	if want != nil && !errors.Is(err, want) {
		t.Errorf("error = %v, want one that wraps %q", err, want)
	}
	for _, word := range append(words, server.address.String()) {
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("error = %v, want one with %q", err, word)
		}
	}
}

// A load waits for a server that was killed and comes back, and one that did not
// wait is finished by a second call.
func TestLoadOfAServerThatIsKilled(t *testing.T) {
	server, fixture := newOwnServer(t), chain(2000)
	release := storetest.Release(fixture)
	server.script("start")
	store := server.open()
	killed := false
	_, err := store.Load(t.Context(), release, neo4j.LoadOptions{BatchRows: 100, Patience: time.Second, Progress: func(step string, done, _ int) {
		if step == "concepts" && done > 500 && !killed {
			killed = true
			server.script("kill")
		}
	}})
	mustTell(t, err, graph.ErrUnavailable, server, "concepts", "start it")
	server.script("start")
	var again int
	_, err = store.Load(t.Context(), release, neo4j.LoadOptions{BatchRows: 100, Patience: 10 * time.Minute, Progress: func(step string, done, _ int) {
		if again == 0 && done < 500 {
			t.Errorf("it began again at row %d", done)
		}
		if again++; step == "relations" && killed {
			killed = false
			server.script("kill")
			go server.script("start")
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if killed {
		t.Error("the server was not killed the second time")
	}
	contents(t, store, fixture)
}

// What a server does not allow or has no room for is told, and when that is mended
// the next load goes on.
func TestLoadOfAServerThatLacksSomething(t *testing.T) {
	server, fixture := newOwnServer(t), chain(10_000)
	release := storetest.Release(fixture)
	server.with("db.memory.transaction.max=4m")
	server.script("start")
	store := server.open()
	_, err := store.Load(t.Context(), release, neo4j.LoadOptions{})
	mustTell(t, err, neo4j.ErrMemory, server, "db.memory.transaction.max", "write less at a time")
	if _, err := store.Load(t.Context(), release, neo4j.LoadOptions{BatchRows: 500}); err != nil {
		t.Fatal(err)
	}

	server.script("stop")
	server.with("server.databases.read_only=neo4j")
	server.script("start")
	_, err = store.SaveDocument(t.Context(), told("a", []graph.CUI{"C0000001"}), false)
	mustTell(t, err, nil, server, "read-only", "allow writing")
	newer := fixture
	newer.Info.Digest = "sha256:0e3e5"
	_, err = store.Load(t.Context(), storetest.Release(newer), neo4j.LoadOptions{Replace: true})
	mustTell(t, err, nil, server, "read-only", "allow writing")
	contents(t, store, fixture)
}

// The disk of the server is a small one of its own, which takes the rights to mount it.
func TestLoadOfAServerWhoseDiskIsFull(t *testing.T) {
	server, fixture := newOwnServer(t), chain(20_000)
	if err := os.MkdirAll(server.home, 0o755); err != nil {
		t.Fatal(err)
	}
	mount := func(options string) ([]byte, error) {
		return exec.Command("mount", "-t", "tmpfs", "-o", options, "tmpfs", server.home).CombinedOutput()
	}
	if out, err := mount("size=100m"); err != nil {
		t.Skipf("no file system can be mounted: %s", out)
	}
	t.Cleanup(func() {
		server.script("kill") // its process is told by a file in there
		exec.Command("umount", "-l", server.home).Run()
	})
	server.script("start")
	store := server.open()
	filler := server.home + "/filler"
	if err := exec.Command("sh", "-c", `head -c $(($(df --output=avail -B1 "$0" | tail -1) - 3000000)) /dev/zero > "$0/filler"`, server.home).Run(); err != nil {
		t.Fatal(err)
	}
	release := storetest.Release(fixture)
	_, err := store.Load(t.Context(), release, neo4j.LoadOptions{BatchRows: 2000, Patience: time.Second})
	mustTell(t, err, neo4j.ErrStopped, server, "disk is full", "start it again")
	_, err = store.Load(t.Context(), release, neo4j.LoadOptions{BatchRows: 2000, Patience: time.Second})
	mustTell(t, err, neo4j.ErrStopped, server)
	server.script("kill")
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	server.script("start")
	if _, err := store.Load(t.Context(), release, neo4j.LoadOptions{BatchRows: 2000}); err != nil {
		t.Fatal(err)
	}
	contents(t, store, fixture)
}
