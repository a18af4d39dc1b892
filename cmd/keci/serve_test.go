package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

var readyLine = regexp.MustCompile(`msg=ready url=(\S+)`)

// serve runs keci serve until the test ends it, and gives its address when it
// is ready.
func serve(t *testing.T, args ...string) (url string, stop func() error) {
	t.Helper()
	read, write := io.Pipe()
	cmd := newRootCommand()
	cmd.SetArgs(append([]string{"serve", "--addr", "127.0.0.1:0"}, args...))
	cmd.SetErr(write)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		err := cmd.ExecuteContext(ctx)
		write.CloseWithError(err)
		ended <- err
	}()
	lines := bufio.NewScanner(read)
	for lines.Scan() {
		if found := readyLine.FindStringSubmatch(lines.Text()); found != nil {
			go io.Copy(io.Discard, read)
			return found[1], func() error { cancel(); return <-ended }
		}
	}
	cancel()
	t.Fatalf("the server was never ready: %v", <-ended)
	return "", nil
}

func TestServe(t *testing.T) {
	data := t.TempDir()
	url, stop := serve(t, "--data", data)
	ask := func(url string) *http.Response {
		t.Helper()
		answer, err := http.Post(url+"v1/documents", "application/json", strings.NewReader(`{"id":"a","text":"FKBP12 binds rapamycin."}`))
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		return answer
	}
	if got := ask(url).StatusCode; got != http.StatusCreated {
		t.Errorf("the first time: status %d", got)
	}
	if err := stop(); err != nil {
		t.Errorf("stopping: %v", err)
	}

	url, stop = serve(t, "--data", data) // what was stored is there
	if got := ask(url).StatusCode; got != http.StatusOK {
		t.Errorf("after a restart: status %d", got)
	}
	if err := stop(); err != nil {
		t.Errorf("stopping: %v", err)
	}
}

// With --log json all of standard error is JSON, the reason of a failure as well.
func TestServeLogsJSON(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	var told strings.Builder
	root := newRootCommand()
	root.SetArgs([]string{"serve", "--log", "json", "--addr", taken.Addr().String(), "--data", t.TempDir()})
	root.SetErr(&told)
	err = root.ExecuteContext(t.Context())
	tell(root, &told, err)
	var record struct{ Level, Msg string }
	if decoded := json.Unmarshal([]byte(told.String()), &record); err == nil || decoded != nil || record.Level != "ERROR" || record.Msg != err.Error() {
		t.Errorf("told %q of %v (%v)", told.String(), err, decoded)
	}
	told.Reset()
	serveOptions{log: "json", logLevel: "info"}.logger(&told).Info("ready", "url", "http://x/")
	if !strings.Contains(told.String(), `"msg":"ready","url":"http://x/"`) {
		t.Errorf("logged %q", told.String())
	}
}

func TestServeTellsThatThePortIsTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	started := time.Now()
	_, err = run(t, "", "serve", "--addr", taken.Addr().String(), "--data", t.TempDir())
	if err == nil || !strings.Contains(err.Error(), taken.Addr().String()) || !strings.Contains(err.Error(), "--addr") {
		t.Errorf("error = %v, want one that names the address and the flag", err)
	}
	if waited := time.Since(started); waited > 2*time.Second {
		t.Errorf("it took %s to find out", waited)
	}
}
