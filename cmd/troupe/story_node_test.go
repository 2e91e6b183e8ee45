//go:build unix

package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// storyNode is one run of a node.
type storyNode struct {
	cmd  *exec.Cmd
	log  string
	from int64  // where this run's part of the log begins
	addr string // host:port
	url  string
	done chan struct{} // closed when it has ended
	err  error         // how, after that
}

// storyPatience bounds every wait of a story: much longer than any takes on a busy machine.
const storyPatience = 60 * time.Second

// poll waits until ready says so. It looks again every few milliseconds.
func poll(ts *testscript.TestScript, what string, ready func() bool) {
	for deadline := time.Now().Add(storyPatience); !ready(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			ts.Fatalf("waited %s in vain for %s", storyPatience, what)
		}
	}
}

var errDiedEarly = errors.New("the node ended before it was ready")

var readyAt = regexp.MustCompile(`is ready, .*: (http://[^/\s]+)/`)

func (s *story) serve(ts *testscript.TestScript, args []string) {
	if err := s.start(ts, args[0], args[1:]); err != nil {
		log, _ := os.ReadFile(ts.MkAbs(args[0] + ".log"))
		ts.Fatalf("serve %s: %v\n%s", args[0], err, log)
	}
}

func (s *story) start(ts *testscript.TestScript, name string, flags []string) error {
	if old := s.nodes[name]; old != nil && !old.ended() {
		ts.Fatalf("node %s runs already", name)
	}
	program, err := exec.LookPath("troupe")
	ts.Check(err)
	n := &storyNode{log: ts.MkAbs(name + ".log"), done: make(chan struct{}), addr: quietAddr(ts)}
	if old := s.nodes[name]; old != nil {
		n.addr = old.addr // where its clients look for it
	}
	n.cmd = exec.Command(program, append([]string{"serve", "--samples", "--listen", n.addr, "--name", name}, flags...)...)
	n.cmd.Dir = ts.MkAbs(".")
	for _, variable := range []string{"PATH", "TMPDIR", "HOME", "TROUPE_REDIS_URL", "TROUPE_DATABASE_URL", "TROUPE_REDIS_PREFIX", "TROUPE_TOKEN"} {
		if value := ts.Getenv(variable); value != "" {
			n.cmd.Env = append(n.cmd.Env, variable+"="+value)
		}
	}
	log, err := os.OpenFile(n.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	ts.Check(err)
	defer log.Close()
	n.from, err = log.Seek(0, io.SeekEnd)
	ts.Check(err)
	n.cmd.Stderr = log
	out, in, err := os.Pipe()
	ts.Check(err)
	defer out.Close()
	n.cmd.Stdout = in
	started := make(chan error)
	go n.run(started)
	err = <-started
	in.Close()
	ts.Check(err)
	s.nodes[name] = n
	line, _ := bufio.NewReader(out).ReadString('\n') // or it ends
	found := readyAt.FindStringSubmatch(line)
	if found == nil {
		<-n.done
		return errDiedEarly
	}
	n.url = found[1]
	ts.Setenv(name, n.url)
	ts.Setenv("TROUPE_SERVER", n.url)
	poll(ts, name+" to be ready", func() bool {
		status, _, _, err := request(http.MethodGet, n.url+"/readyz", "", nil)
		return err == nil && status == http.StatusOK || n.ended()
	})
	return nil
}

// run starts the process and waits for its end on one thread, so that the kernel can end it if the tests die, see dieWithTests.
func (n *storyNode) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(n.done)
	n.cmd.SysProcAttr = dieWithTests()
	err := n.cmd.Start()
	started <- err
	if err == nil {
		n.err = n.cmd.Wait()
	}
}

func (n *storyNode) ended() bool {
	select {
	case <-n.done:
		return true
	default:
		return false
	}
}

func (n *storyNode) end(sig os.Signal) {
	_ = n.cmd.Process.Signal(sig) // it may have ended
	<-n.done
}

// quietAddr is a free port below those that the kernel gives to outgoing connections: a client that dials a node which is down must not
// get itself.
func quietAddr(ts *testscript.TestScript) string {
	for range 100 {
		addr := fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(10_000))
		if l, err := net.Listen("tcp", addr); err == nil {
			_ = l.Close()
			return addr
		}
	}
	ts.Fatalf("no free port between 10000 and 20000")
	return ""
}

func (s *story) node(ts *testscript.TestScript, name string) *storyNode {
	n := s.nodes[name]
	if n == nil {
		ts.Fatalf("there is no node %s", name)
	}
	return n
}

func (s *story) crash(ts *testscript.TestScript, args []string) { s.node(ts, args[0]).end(os.Kill) }

func (s *story) signal(ts *testscript.TestScript, args []string) {
	ts.Check(s.node(ts, args[0]).cmd.Process.Signal(syscall.SIGTERM))
}

func (s *story) term(ts *testscript.TestScript, args []string) {
	n := s.node(ts, args[0])
	s.signal(ts, args)
	poll(ts, args[0]+" to end", n.ended)
	if n.err != nil {
		ts.Fatalf("%s did not end in good order: %v", args[0], n.err)
	}
}

func (s *story) terminated(ts *testscript.TestScript, args []string) {
	n := s.node(ts, args[0])
	poll(ts, args[0]+" to end", n.ended)
	if status, ok := n.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() || status.Signal() != syscall.SIGTERM {
		ts.Fatalf("%s ended otherwise: %v", args[0], n.cmd.ProcessState)
	}
}

func (s *story) waitLog(ts *testscript.TestScript, args []string) {
	n := s.node(ts, args[0])
	poll(ts, args[0]+" to log "+args[1], func() bool {
		log, _ := os.ReadFile(n.log)
		return bytes.Contains(log[min(n.from, int64(len(log))):], []byte(args[1]))
	})
}

// serveUntil starts a node that its job kills.
func (s *story) serveUntil(ts *testscript.TestScript, args []string) {
	id, status, name := args[0], args[1], args[2]
	poll(ts, "job "+id+" to be "+status, func() bool {
		if n := s.nodes[name]; n == nil || n.ended() {
			if err := s.start(ts, name, args[3:]); err != nil && !errors.Is(err, errDiedEarly) {
				ts.Fatalf("serve %s: %v", name, err)
			}
		}
		j, err := readStoryJob(ts, id)
		return err == nil && j.text("status") == status
	})
}

func (s *story) waitProcess(ts *testscript.TestScript, args []string) {
	poll(ts, "a process in "+args[0], func() bool { return len(processesIn(args[0])) > 0 })
}

func (s *story) noProcess(ts *testscript.TestScript, args []string) {
	poll(ts, "the end of all processes in "+args[0], func() bool { return len(processesIn(args[0])) == 0 })
}

// processesIn lists the processes whose folder has a text in its path.
func processesIn(text string) []string {
	var found []string
	links, _ := filepath.Glob("/proc/[0-9]*/cwd")
	for _, link := range links {
		if dir, err := os.Readlink(link); err == nil && bytes.Contains([]byte(dir), []byte(text)) {
			found = append(found, link)
		}
	}
	return found
}

// request makes one HTTP request on a connection of its own.
func request(method, url, body string, header http.Header) (status int, got http.Header, answer []byte, err error) {
	r, err := http.NewRequest(method, url, bytes.NewReader([]byte(body)))
	if err != nil {
		return 0, nil, nil, err
	}
	for name, values := range header {
		r.Header[name] = values
	}
	r.Close = true
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil, nil, err
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(response.Body)
	return response.StatusCode, response.Header, answer, err
}
