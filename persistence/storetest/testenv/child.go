//go:build unix

package testenv

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// childQuits is how long a child has to end once its standard input has.
const childQuits = 5 * time.Second

// Child is the test's own program, run once more as a process of its own: the package's TestMain finds a variable in the environment
// and does what it says instead of running tests. It ends with the test, or with the process if that is killed. Its methods fail the
// test if they can't do what they say.
type Child struct {
	// In is its standard input. A child should end in good order when that ends.
	In io.WriteCloser
	// Out is its standard output. Its standard error is the test's.
	Out *bufio.Reader

	t testing.TB
	p *process
}

// StartChild starts the test's own program with variables added to the environment, which is that of Race.
func StartChild(t testing.TB, variables ...string) *Child {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatalf("child process: %v", err)
	}
	cmd := exec.Command(self)
	if cmd.Env, err = Race(append(os.Environ(), variables...)); err != nil {
		t.Fatalf("child process: %v", err)
	}
	cmd.Stderr = os.Stderr
	c := &Child{t: t}
	out, in, err := os.Pipe() // of our own: exec's would be closed at the end, with what was not read yet
	if err != nil {
		t.Fatalf("child process: %v", err)
	}
	cmd.Stdout = in
	if c.In, err = cmd.StdinPipe(); err == nil {
		c.p, err = startProcess(cmd, syscall.SIGKILL)
	}
	_ = in.Close()
	if err != nil {
		t.Fatalf("child process: %v", err)
	}
	c.Out = bufio.NewReader(out)
	t.Cleanup(func() {
		c.Kill()
		_ = out.Close()
	})
	return c
}

// PID is its process id.
func (c *Child) PID() int { return c.p.cmd.Process.Pid }

// Kill ends it and its children with SIGKILL, if it runs.
func (c *Child) Kill() {
	c.t.Helper()
	if c.p.ended() {
		return
	}
	if err := c.p.kill(); err != nil {
		c.t.Errorf("kill a child process: %v", err)
	}
}

// Suspend stops it and its children in their tracks. It has stopped when this returns.
func (c *Child) Suspend() {
	c.t.Helper()
	c.signal(syscall.SIGSTOP)
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for deadline := time.Now().Add(endWithin); !stopped(c.PID()); <-poll.C {
		if time.Now().After(deadline) {
			c.t.Fatalf("a child process does not stop")
		}
	}
}

// Resume lets it go on.
func (c *Child) Resume() { c.t.Helper(); c.signal(syscall.SIGCONT) }

func (c *Child) signal(sig syscall.Signal) {
	c.t.Helper()
	if _, err := c.p.tree(sig); err != nil {
		c.t.Fatalf("send %v to a child process: %v", sig, err)
	}
}

// Quit closes its standard input and waits for its end; a status other than 0 fails the test.
func (c *Child) Quit() {
	c.t.Helper()
	_ = c.In.Close()
	end := time.NewTimer(childQuits)
	defer end.Stop()
	select {
	case <-c.p.done:
		if state := c.p.cmd.ProcessState; !state.Success() {
			c.t.Errorf("a child process ended with %v", state)
		}
	case <-end.C:
		c.t.Errorf("a child process does not end within %s", childQuits)
		c.Kill()
	}
}
