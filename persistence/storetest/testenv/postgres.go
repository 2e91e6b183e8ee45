//go:build unix

package testenv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

type sharedPostgres struct {
	server *Server
	last   int // number of the newest database
}

const (
	postgresPackage = "postgresql"
	postgresUser    = "troupe"
)

// postgresFolders is where Debian keeps what it does not put into PATH.
const postgresFolders = "/usr/lib/postgresql/*/bin"

// Postgres gives the test an empty database of its own on the process's Postgres, dropped when the test ends.
func Postgres(t testing.TB) (url string) {
	t.Helper()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.postgres == nil {
		s, err := shared.startPostgres(Options{})
		if err != nil {
			t.Fatalf("postgres for tests: %v", err)
		}
		shared.postgres = &sharedPostgres{server: s}
	}
	p := shared.postgres
	p.last++
	name := fmt.Sprintf("test_%d", p.last)
	if err := p.server.sql("CREATE DATABASE " + name + " TEMPLATE template0"); err != nil {
		t.Fatalf("postgres for tests: %v", err)
	}
	t.Cleanup(func() {
		if err := p.server.sql("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Errorf("postgres for tests: %v", err)
		}
	})
	return postgresURL(p.server.Addr, name)
}

// StartPostgres gives the test a Postgres of its own.
func StartPostgres(t testing.TB, o Options) *Server {
	t.Helper()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	s, err := shared.startPostgres(o)
	if err != nil {
		t.Fatalf("postgres for tests: %v", err)
	}
	return s.give(t)
}

func postgresURL(addr, database string) string {
	return fmt.Sprintf("postgres://%s@%s/%s?sslmode=disable", postgresUser, addr, database)
}

func (e *environment) startPostgres(o Options) (*Server, error) {
	program, err := find("postgres", postgresPackage, postgresFolders)
	if err != nil {
		return nil, err
	}
	parent, err := e.dir()
	if err != nil {
		return nil, err
	}
	if e.template == "" {
		if e.template, err = initPostgres(parent); err != nil {
			return nil, err
		}
	}
	dir, err := parent.sub("postgres", true)
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	if err := parent.asPostgres("cp", "-a", "--reflink=auto", e.template, data); err != nil {
		return nil, fmt.Errorf("copy the template of Postgres: %w", err)
	}
	return startOnFreePort(func(port int) *Server {
		addr := fmt.Sprintf("127.0.0.1:%d", port)
		args := append(postgresArgs(data, port, o.Durable), o.Args...)
		return &Server{
			URL: postgresURL(addr, "postgres"), Addr: addr, Dir: dir, name: "postgres", logs: filepath.Join(dir, "log"),
			build: func() *exec.Cmd {
				cmd := exec.Command(program, args...)
				cmd.Dir = dir
				cmd.SysProcAttr = &syscall.SysProcAttr{Credential: parent.account}
				return cmd
			},
			ready: func(_ context.Context, pid int) error { return postmasterReady(data, pid) },
			quit:  syscall.SIGINT,  // its "fast" shutdown; SIGTERM would wait for the clients to leave
			death: syscall.SIGQUIT, // its "immediate" one; SIGKILL would leave its shared memory behind
		}
	})
}

func postgresArgs(data string, port int, durable bool) []string {
	settings := []string{
		"listen_addresses=127.0.0.1", "unix_socket_directories=", "shared_buffers=32MB", "max_connections=200",
		"timezone=Asia/Kathmandu", // finds code that trusts the server's zone to be UTC
	}
	if !durable {
		settings = append(settings, "fsync=off", "full_page_writes=off", "synchronous_commit=off", "autovacuum=off", "max_wal_size=4GB")
	}
	args := []string{"-D", data, "-p", strconv.Itoa(port)}
	for _, s := range settings {
		args = append(args, "-c", s)
	}
	return args
}

// initPostgres makes the folder that every server's data is copied from: that is several times faster than initdb.
func initPostgres(parent *folder) (string, error) {
	initdb, err := find("initdb", postgresPackage, postgresFolders)
	if err != nil {
		return "", err
	}
	dir, err := parent.sub("template", true)
	if err != nil {
		return "", err
	}
	data := filepath.Join(dir, "data")
	if err := parent.asPostgres(initdb, "-D", data, "-U", postgresUser, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N", "--no-instructions"); err != nil {
		return "", fmt.Errorf("initialize Postgres: %w", err)
	}
	return data, nil
}

func (f *folder) asPostgres(program string, args ...string) error {
	cmd := exec.Command(program, args...)
	cmd.Dir = f.path
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: f.account}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(program), err, out)
	}
	return nil
}

var errStarting = errors.New("postgres is not ready")

// statusLine is the line of postmaster.pid that says "ready" once clients may connect, counted from 0. A killed server leaves its file behind: the
// first line, the pid, tells whose it is.
const statusLine = 7

func postmasterReady(data string, pid int) error {
	text, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		return err
	}
	lines := strings.Split(string(text), "\n")
	if lines[0] != strconv.Itoa(pid) || len(lines) <= statusLine || strings.TrimSpace(lines[statusLine]) != "ready" {
		return errStarting
	}
	return nil
}

// sql runs one statement with psql: drivers bring the client, this package none.
func (s *Server) sql(statement string) error {
	psql, err := find("psql", "postgresql-client", postgresFolders)
	if err != nil {
		return err
	}
	if out, err := exec.Command(psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", statement, s.URL).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", statement, err, out)
	}
	return nil
}
