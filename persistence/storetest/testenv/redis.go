//go:build unix

package testenv

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// sharedDatabases bounds how many databases of the shared Redis may be in use at once.
const sharedDatabases = 1024

type sharedRedis struct {
	server *Server
	next   int   // databases below it were given out before
	free   []int // and these of them came back
}

// Redis gives the test an empty database of its own on the process's Redis: redis://127.0.0.1:PORT/N. Channels are not
// bound to a database: tests that run at once and must not hear each other use keys of their own, or StartRedis.
func Redis(t testing.TB) (url string) {
	t.Helper()
	server, n, err := shared.redisDatabase()
	if err != nil {
		t.Fatalf("redis for tests: %v", err)
	}
	t.Cleanup(func() {
		if err := flush(server.Addr, n); err != nil {
			t.Errorf("flush redis database %d: %v", n, err)
			return
		}
		shared.mu.Lock()
		defer shared.mu.Unlock()
		shared.redis.free = append(shared.redis.free, n)
	})
	return fmt.Sprintf("redis://%s/%d", server.Addr, n)
}

// StartRedis gives the test a Redis of its own.
func StartRedis(t testing.TB, o Options) *Server {
	t.Helper()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	s, err := shared.startRedis(o)
	if err != nil {
		t.Fatalf("redis for tests: %v", err)
	}
	return s.give(t)
}

func (e *environment) redisDatabase() (*Server, int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.redis == nil {
		s, err := e.startRedis(Options{Args: []string{"--databases", strconv.Itoa(sharedDatabases)}})
		if err != nil {
			return nil, 0, err
		}
		e.redis = &sharedRedis{server: s}
	}
	r := e.redis
	if last := len(r.free) - 1; last >= 0 {
		n := r.free[last]
		r.free = r.free[:last]
		return r.server, n, nil
	}
	if r.next == sharedDatabases {
		return nil, 0, fmt.Errorf("all %d databases are in use", sharedDatabases)
	}
	r.next++
	return r.server, r.next - 1, nil
}

func (e *environment) startRedis(o Options) (*Server, error) {
	program, err := find("redis-server", "redis-server")
	if err != nil {
		return nil, err
	}
	parent, err := e.dir()
	if err != nil {
		return nil, err
	}
	dir, err := parent.sub("redis", false)
	if err != nil {
		return nil, err
	}
	return startOnFreePort(func(port int) *Server {
		addr := fmt.Sprintf("127.0.0.1:%d", port)
		args := []string{
			"--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--dir", dir, "--save", "", "--daemonize", "no",
			"--maxmemory-policy", "noeviction", "--appendonly", "no",
		}
		if o.Durable {
			args = append(args, "--appendonly", "yes", "--appendfsync", "always")
		}
		args = append(args, o.Args...)
		return &Server{
			URL: "redis://" + addr + "/0", Addr: addr, Dir: dir, name: "redis", logs: filepath.Join(dir, "log"),
			build: func() *exec.Cmd { return exec.Command(program, args...) },
			ready: func(ctx context.Context, _ int) error { return redisSays(ctx, addr, "PING", "+PONG") },
			quit:  syscall.SIGTERM, death: syscall.SIGKILL,
		}
	})
}

func flush(addr string, database int) error {
	ctx, cancel := context.WithTimeout(context.Background(), endWithin)
	defer cancel()
	return redisSays(ctx, addr, fmt.Sprintf("SELECT %d\r\nFLUSHDB", database), "+OK", "+OK")
}

// redisSays sends lines of the inline protocol and compares the answers. It needs no client: drivers bring theirs.
func redisSays(ctx context.Context, addr, lines string, want ...string) error {
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	if _, err := fmt.Fprintf(conn, "%s\r\n", lines); err != nil {
		return err
	}
	answers := bufio.NewReader(conn)
	for _, w := range want {
		line, err := answers.ReadString('\n')
		if err != nil {
			return err
		}
		if got := strings.TrimRight(line, "\r\n"); got != w {
			return fmt.Errorf("redis answers %.100q to %.100q, want %q", got, lines, w)
		}
	}
	return nil
}
