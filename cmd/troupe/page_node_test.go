package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// buildTroupe builds the binary as a user does, and answers its path.
func buildTroupe(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Fatal("no ffmpeg on the search path: the page's videos are rendered with it; it is in the package ffmpeg")
	}
	path := filepath.Join(t.TempDir(), "troupe")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// child is a troupe process with its data. It may be killed and started again on the same data and port.
type child struct {
	t     *testing.T
	path  string
	args  []string
	data  string
	addr  string // host:port; with port 0 until it is known
	token string
	log   tail
	cmd   *exec.Cmd
}

// startChild starts a node. Args are a command and its flags, beside --data and --listen.
func startChild(t *testing.T, path string, args ...string) *child {
	t.Helper()
	c := &child{t: t, path: path, args: args, data: t.TempDir(), addr: quietAddress(t)}
	t.Cleanup(func() {
		c.end(syscall.SIGTERM)
		if t.Failed() {
			t.Logf("the node's log ends:\n%s", c.log.String())
		}
	})
	c.start()
	return c
}

var announced = regexp.MustCompile(`http://([^/\s]+)/`)

// start starts the process and waits until it says that it is ready.
func (c *child) start() {
	c.t.Helper()
	cmd := exec.Command(c.path, append(append([]string{}, c.args...), "--data", c.data, "--listen", c.addr, "--drain", "100ms")...)
	for _, entry := range os.Environ() { // what is set for the developer's own node is not for this one
		if !strings.HasPrefix(entry, "TROUPE_") {
			cmd.Env = append(cmd.Env, entry)
		}
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		c.t.Fatal(err)
	}
	cmd.Stderr = &c.log
	if err := cmd.Start(); err != nil {
		c.t.Fatalf("start %s: %v", c.path, err)
	}
	c.cmd = cmd
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if found := announced.FindStringSubmatch(lines.Text()); found != nil {
			c.addr = found[1]
			return // it writes nothing more
		}
	}
	c.end(syscall.SIGKILL)
	c.t.Fatalf("troupe %s ended before it was ready:\n%s", c.args, c.log.String())
}

// end ends the process with a signal, and for good after ten seconds.
func (c *child) end(signal os.Signal) {
	if c.cmd == nil {
		return
	}
	_ = c.cmd.Process.Signal(signal)
	late := time.AfterFunc(10*time.Second, func() { _ = c.cmd.Process.Kill() })
	defer late.Stop()
	_ = c.cmd.Wait() // a killed process is an error
	c.cmd = nil
}

// kill is what a machine without power does.
func (c *child) kill() { c.end(syscall.SIGKILL) }

func (c *child) url(path string) string { return "http://" + c.addr + path }

// video orders a video as another program would, and answers the job's id.
func (c *child) video(prompt string, seconds int, more ...string) string {
	c.t.Helper()
	body := map[string]any{"prompt": prompt, "duration": seconds}
	for i := 0; i+1 < len(more); i += 2 {
		body[more[i]] = more[i+1]
	}
	data, err := json.Marshal(body)
	if err != nil {
		c.t.Fatal(err)
	}
	var j shownJob
	c.ask(http.MethodPost, "/v1/videos", data, &j)
	return j.ID
}

// shownJob is what the tests read of a job.
type shownJob struct {
	ID          string    `json:"id"`
	Status      string    `json:"status"`
	Attempt     int       `json:"attempt"`
	Crashes     int       `json:"crashes"`
	Run         int       `json:"run"`
	CreatedAt   time.Time `json:"created_at"`
	StartedAt   time.Time `json:"started_at"`
	CompletedAt time.Time `json:"completed_at"`
	Payload     struct {
		Prompt string `json:"prompt"`
	} `json:"payload"`
}

// jobs are all jobs, newest first.
func (c *child) jobs() []shownJob {
	c.t.Helper()
	var page struct {
		Jobs []shownJob `json:"jobs"`
	}
	c.ask(http.MethodGet, "/v1/jobs?kind=video.generate", nil, &page)
	return page.Jobs
}

// job is the newest job whose prompt has a text in it.
func (c *child) job(text string) shownJob {
	c.t.Helper()
	for _, j := range c.jobs() { // lists leave payloads out
		c.ask(http.MethodGet, "/v1/jobs/"+j.ID, nil, &j)
		if strings.Contains(j.Payload.Prompt, text) {
			return j
		}
	}
	c.t.Fatalf("no job has %q in its prompt", text)
	return shownJob{}
}

func (c *child) ask(method, path string, body []byte, answer any) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.url(path), bytes.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	r.Close = true
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= 300 {
		c.t.Fatalf("%s %s: %d %s %v", method, path, response.StatusCode, data, err)
	}
	if err := json.Unmarshal(data, answer); err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
}

// quietAddress is a free port below those that systems give to outgoing connections, so that nobody takes it while a node is down.
func quietAddress(t *testing.T) string {
	t.Helper()
	for range 100 {
		addr := fmt.Sprintf("127.0.0.1:%d", 20_000+rand.IntN(10_000))
		if l, err := net.Listen("tcp", addr); err == nil {
			_ = l.Close()
			return addr
		}
	}
	t.Fatal("no free port between 20000 and 30000")
	return ""
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	data []byte
}

// Write implements io.Writer.
func (b *tail) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.data = append(b.data, p...)
	b.data = b.data[max(0, len(b.data)-4096):]
	return len(p), nil
}

// String is the end.
func (b *tail) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return string(b.data)
}
