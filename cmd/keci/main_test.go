package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"
)

// interruptedVariable makes of this test a program that stops slowly.
const interruptedVariable = "KECI_TEST_INTERRUPTED"

// The first Ctrl-C asks the program to stop, a second one does not wait for it.
func TestSecondInterruptEndsTheProgram(t *testing.T) {
	if os.Getenv(interruptedVariable) != "" {
		ctx, stop := untilInterrupted()
		defer stop()
		fmt.Println("runs")
		<-ctx.Done()
		fmt.Println("stops")
		time.Sleep(time.Minute)
		return
	}
	program := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	program.Env = append(os.Environ(), interruptedVariable+"=1")
	out, err := program.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for _, want := range []string{"runs", "stops"} {
		if !lines.Scan() || lines.Text() != want {
			t.Fatalf("the program says %q, want %q", lines.Text(), want)
		}
		if err := program.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
	}
	ended := make(chan struct{})
	go func() { defer close(ended); program.Wait() }()
	for start := time.Now(); time.Since(start) < 10*time.Second; {
		select {
		case <-ended:
			return
		case <-time.After(20 * time.Millisecond):
			program.Process.Signal(os.Interrupt) // the one before may have come too early
		}
	}
	program.Process.Kill()
	t.Error("the program goes on after the second signal")
}
