//go:build unix

package testenv

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Options say how a server of one's own is set up.
type Options struct {
	// Durable makes every acknowledged write survive Kill: Redis with appendonly and appendfsync always, Postgres with fsync and
	// synchronous_commit. Without it Redis keeps nothing over Kill or Stop, and Postgres what it happened to have written.
	Durable bool
	// Args are added to the server's command line.
	Args []string
}

// Server is a server of a test's own. Its methods fail the test if they can't do what they say.
type Server struct {
	// URL is where to reach it; the same for as long as the test runs. A Postgres URL names a database that is empty at first.
	URL string
	// Addr is host:port.
	Addr string
	// Dir holds its data and its log.
	Dir string

	t     testing.TB // nil for a shared one
	name  string
	logs  string
	build func() *exec.Cmd // makes its command
	ready func(ctx context.Context, pid int) error
	quit  syscall.Signal // asks for an orderly end at once
	death syscall.Signal // what the kernel sends if this process dies

	mu      sync.Mutex
	process *process // nil when it does not run
}

const (
	startWithin = 60 * time.Second
	endWithin   = 20 * time.Second
	pollEvery   = 5 * time.Millisecond
)

// Start starts the server on the same port and data, and returns when it answers. A running one is left as it is.
func (s *Server) Start() {
	s.t.Helper()
	if err := s.start(); err != nil {
		s.t.Fatalf("start %s: %v", s.name, err)
	}
}

// Stop ends the server in good order, without waiting for its clients.
func (s *Server) Stop() {
	s.t.Helper()
	if err := s.stop(); err != nil {
		s.t.Fatalf("stop %s: %v", s.name, err)
	}
}

// Kill ends the server and its children with SIGKILL.
func (s *Server) Kill() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return
	}
	if err := s.process.kill(); err != nil {
		s.t.Fatalf("kill %s: %v", s.name, err)
	}
	s.process = nil
}

// Suspend stops the server and its children in their tracks: connections stay open and nothing answers.
func (s *Server) Suspend() { s.t.Helper(); s.signal(syscall.SIGSTOP) }

// Resume lets a suspended server go on.
func (s *Server) Resume() { s.t.Helper(); s.signal(syscall.SIGCONT) }

// Running says whether the server's process is there, suspended or not.
func (s *Server) Running() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.process != nil && !s.process.ended()
}

func (s *Server) signal(sig syscall.Signal) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		s.t.Fatalf("send %v to %s: it does not run", sig, s.name)
	}
	if _, err := s.process.tree(sig); err != nil {
		s.t.Fatalf("send %v to %s: %v", sig, s.name, err)
	}
}

func (s *Server) start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process != nil && !s.process.ended() {
		return nil
	}
	cmd := s.build()
	log, err := os.OpenFile(s.logs, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the log: %w", err)
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	p, err := startProcess(cmd, s.death)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), startWithin)
	defer cancel()
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for {
		err := s.ready(ctx, p.cmd.Process.Pid)
		if err == nil {
			s.process = p
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("it ended at once:\n%s", s.logTail())
		case <-ctx.Done():
			_ = p.kill()
			return fmt.Errorf("it does not answer: %w\n%s", err, s.logTail())
		case <-poll.C:
		}
	}
}

func (s *Server) stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return nil
	}
	_, _ = s.process.tree(syscall.SIGCONT)
	err := s.process.end(s.quit, endWithin)
	s.process = nil
	return err
}

// end is for when the data matters no more.
func (s *Server) end() {
	_ = s.stop()
	_ = os.RemoveAll(s.Dir)
}

const logTail = 4 << 10

func (s *Server) logTail() []byte {
	text, _ := os.ReadFile(s.logs)
	return text[max(0, len(text)-logTail):]
}

// give hands the server to a test: it ends with the test, and shows its log if the test fails.
func (s *Server) give(t testing.TB) *Server {
	s.t = t
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("end of the log of %s:\n%s", s.name, s.logTail())
		}
		s.end()
	})
	return s
}

// find locates a program, first in the given folders (patterns), then in PATH.
func find(program, aptPackage string, folders ...string) (string, error) {
	for _, pattern := range folders {
		if found, _ := filepath.Glob(filepath.Join(pattern, program)); len(found) > 0 {
			return found[len(found)-1], nil
		}
	}
	path, err := exec.LookPath(program)
	if err != nil {
		return "", fmt.Errorf("%s is not installed (apt-get install %s): %w", program, aptPackage, err)
	}
	return path, nil
}
