//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// clusterNode is one of a cluster's nodes: a process, and after its end another one at the same address and with the same data.
type clusterNode struct {
	cluster *cluster
	index   int
	name    string // as it is called at every start
	url     string // of its interface
	log     string // path
	full    atomic.Pointer[string]
	cmd     *exec.Cmd
	done    chan struct{} // closed when the process has ended
	err     error         // how, after that
}

// identity is the full name of the process that runs, or ran last.
func (n *clusterNode) identity() string {
	if full := n.full.Load(); full != nil {
		return *full
	}
	return ""
}

// start starts the process and waits until it serves.
func (n *clusterNode) start() {
	n.cluster.t.Helper()
	if err := n.launch(); err != nil {
		text, _ := os.ReadFile(n.log)
		n.cluster.t.Fatalf("start %s: %v\n%s", n.name, err, text[max(0, len(text)-4096):])
	}
}

func (n *clusterNode) launch() error {
	c := n.cluster
	args := append([]string{
		"serve", "--samples", "--listen", strings.TrimPrefix(n.url, "http://"), "--name", n.name, "--data", filepath.Join(c.dir, n.name),
		"--ffmpeg", "none", "--drain", c.drain.String(), "--max-streams-per-address", "10000", "--max-streams-per-principal", "10000",
	}, c.net.args(n.index)...)
	for _, q := range c.queues {
		args = append(args, "--queue", q)
	}
	n.cmd = c.net.command(n.index, c.program, append(args, c.args...))
	for _, entry := range os.Environ() { // what is set for the developer's own node is not for this one
		if !strings.HasPrefix(entry, "TROUPE_") {
			n.cmd.Env = append(n.cmd.Env, entry)
		}
	}
	n.cmd.Env = append(
		n.cmd.Env, "TROUPE_REDIS_URL="+c.net.redis(n.index), "TROUPE_DATABASE_URL="+c.net.postgres(n.index), "TROUPE_TOKEN="+clusterToken,
		"TROUPE_SAMPLES_WITNESS="+c.journal.path,
	)
	log, err := os.OpenFile(n.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	n.cmd.Stderr = log
	out, in, err := os.Pipe()
	if err != nil {
		return err
	}
	defer out.Close()
	n.cmd.Stdout = in
	n.done = make(chan struct{})
	started := make(chan error)
	go n.run(n.cmd, n.done, started)
	err = <-started
	in.Close()
	if err != nil {
		return err
	}
	if line, _ := bufio.NewReader(out).ReadString('\n'); !readyAt.MatchString(line) {
		<-n.done
		return errDiedEarly
	}
	return c.poll(n.name+" to tell its name", func() bool {
		var answer struct {
			Nodes []struct {
				Name string `json:"name"`
				Self bool   `json:"self"`
			} `json:"nodes"`
		}
		if n.ask(http.MethodGet, "/v1/nodes", nil, &answer) != nil {
			return n.ended()
		}
		for _, other := range answer.Nodes {
			if other.Self {
				n.full.Store(&other.Name)
				return true
			}
		}
		return n.ended()
	})
}

// run holds the process on one thread, so that the kernel can end it if the tests die, see dieWithTests.
func (n *clusterNode) run(cmd *exec.Cmd, done chan struct{}, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(done)
	cmd.SysProcAttr = dieWithTests()
	err := cmd.Start()
	started <- err
	if err == nil {
		n.err = cmd.Wait()
	}
}

func (n *clusterNode) ended() bool {
	select {
	case <-n.done:
		return true
	default:
		return false
	}
}

func (n *clusterNode) signal(s syscall.Signal) { _ = n.cmd.Process.Signal(s) } // it may have ended

// kill is what a machine without power does.
func (n *clusterNode) kill() {
	n.signal(syscall.SIGKILL)
	<-n.done
}

// members are the nodes that this one knows of, itself included.
func (n *clusterNode) members() (names []string) {
	var answer struct {
		Nodes []struct {
			Name string `json:"name"`
		} `json:"nodes"`
	}
	_ = n.ask(http.MethodGet, "/v1/nodes", nil, &answer)
	for _, other := range answer.Nodes {
		names = append(names, other.Name)
	}
	return names
}

// clusterToken opens every node of every cluster.
const clusterToken = "a-token-of-the-tests"

// askWithin bounds one request of a client. A node that is cut off may never answer.
const askWithin = 3 * time.Second

// askStatusError is an answer that is a refusal.
type askStatusError struct {
	status int
	text   string
}

// Error implements error.
func (e *askStatusError) Error() string { return fmt.Sprintf("%d %.300s", e.status, e.text) }

// ask asks the node. Header are pairs of names and values.
func (n *clusterNode) ask(method, path string, body []byte, answer any, header ...string) error {
	ctx, cancel := context.WithTimeout(n.cluster.ctx, askWithin)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, n.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+clusterToken)
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	response, err := n.cluster.client.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= 300 {
		return &askStatusError{response.StatusCode, string(text)}
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(text, answer)
}

// programOfTests is the test's own binary under the program's name: with the race detector if the tests have it.
func programOfTests(t *testing.T) string {
	t.Helper()
	if *clusterProgram != "" {
		return *clusterProgram
	}
	path, err := exec.LookPath("troupe")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// buildForCluster builds the binary as a user does, for one test and its parts.
func buildForCluster(t *testing.T) string {
	t.Helper()
	if *clusterProgram != "" {
		return *clusterProgram
	}
	path := filepath.Join(t.TempDir(), "troupe")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}
