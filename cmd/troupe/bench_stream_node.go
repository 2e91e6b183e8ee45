package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/meta-ad-studio/troupe/actors"
	httpapi "github.com/meta-ad-studio/troupe/http"
)

// benchStreamNodeCmd is the node that benchStreamCmd measures: it serves until its input ends, and collects its garbage at
// each line of it.
type benchStreamNodeCmd struct{ benching }

// Run serves.
func (c *benchStreamNodeCmd) Run(ctx context.Context, o output) error {
	r, err := c.rig(ctx, func(context.Context, *actors.Job) error { return nil })
	if err != nil {
		return err
	}
	defer r.clean()
	const many = 100_000
	handler := httpapi.New(httpapi.Config{
		Node: r.app, Name: "bench", Registerer: r.registry, Gatherer: r.registry, Logger: slog.New(slog.DiscardHandler),
		Streams: httpapi.StreamLimits{Total: many, PerIP: many, MaxAge: time.Hour},
	})
	listener, err := httpapi.Listen("127.0.0.1:0")
	if err != nil {
		return err
	}
	server, err := httpapi.NewServer(handler, httpapi.ServerConfig{Listen: listener.Addr().String(), MaxConnections: many})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	fmt.Fprintf(o.out, "http://%s\n", listener.Addr())
	for orders := bufio.NewScanner(os.Stdin); orders.Scan(); { // each line: let go of what is garbage, and say so
		debug.FreeOSMemory()
		debug.FreeOSMemory() // stacks shrink in the first, and are given back in the second
		fmt.Fprintln(o.out, "collected")
	}
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = server.Shutdown(limit) // what is still open is cut
	return <-served
}

// streamNode is a benchStreamNodeCmd in a process of its own.
type streamNode struct {
	url     string
	process *exec.Cmd
	input   io.WriteCloser
	said    *bufio.Reader
}

func startStreamNode(ctx context.Context, b *benching) (*streamNode, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	args := []string{"bench", "stream-node", "--concurrency", strconv.Itoa(b.Concurrency)}
	if b.RedisURL != "" {
		args = append(args, "--redis-url", b.RedisURL)
	}
	if b.DatabaseURL != "" {
		args = append(args, "--database-url", b.DatabaseURL)
	}
	process := exec.CommandContext(ctx, self, args...)
	process.Stderr = os.Stderr
	input, err := process.StdinPipe()
	if err != nil {
		return nil, err
	}
	said, err := process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := process.Start(); err != nil {
		return nil, fmt.Errorf("start a node: %w", err)
	}
	node := &streamNode{process: process, input: input, said: bufio.NewReader(said)}
	line, err := node.said.ReadString('\n')
	if err != nil {
		node.stop()
		return nil, fmt.Errorf("the node did not start: %w", err)
	}
	node.url = strings.TrimSpace(line)
	return node, nil
}

// stop ends the node and waits for it: it removes what it made on the servers.
func (n *streamNode) stop() {
	_ = n.input.Close()
	_ = n.process.Wait()
}

// memory is what the node has resident, in kilobytes, once that has stopped to change much.
func (n *streamNode) memory() (float64, error) {
	last := 0.0
	for range 100 {
		data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(n.process.Process.Pid), "status"))
		if err != nil {
			return 0, fmt.Errorf("read the node's memory: %w", err)
		}
		_, rest, _ := strings.Cut(string(data), "VmRSS:")
		now, err := strconv.ParseFloat(strings.Fields(rest + " x")[0], 64)
		if err != nil {
			return 0, fmt.Errorf("read the node's memory: %w", err)
		}
		if last > 0 && now < last*1.002 && now > last*0.998 {
			return now, nil
		}
		last = now
		time.Sleep(200 * time.Millisecond)
	}
	return last, nil
}

// collect has the node let go of its garbage, as it does by itself in time.
func (n *streamNode) collect() error {
	if _, err := io.WriteString(n.input, "\n"); err != nil {
		return fmt.Errorf("the node is gone: %w", err)
	}
	if _, err := n.said.ReadString('\n'); err != nil {
		return fmt.Errorf("the node is gone: %w", err)
	}
	return nil
}

// cpu is the processor time that the node has used, in seconds.
func (n *streamNode) cpu() float64 {
	s, _ := readStat(strconv.Itoa(n.process.Process.Pid))
	return s.used
}

// submit sends jobs at a steady rate, those that are due together in one request.
func (n *streamNode) submit(ctx context.Context, rate, total int, owner func(i int) string) error {
	const tick = 10 * time.Millisecond
	began := time.Now()
	for sent := 0; sent < total; {
		due := min(total, int(time.Since(began).Seconds()*float64(rate)))
		if due == sent {
			time.Sleep(tick)
			continue
		}
		due = min(due, sent+1000)
		if err := n.submitBatch(ctx, sent, due, owner); err != nil {
			return err
		}
		sent = due
		time.Sleep(tick)
	}
	return nil
}

func (n *streamNode) submitBatch(ctx context.Context, from, to int, owner func(i int) string) error {
	type submission struct {
		Kind  string `json:"kind"`
		Owner string `json:"owner"`
	}
	batch := make([]submission, 0, to-from)
	for i := from; i < to; i++ {
		batch = append(batch, submission{"bench", owner(i)})
	}
	text, err := json.Marshal(batch)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.url+"/v1/jobs/batch", bytes.NewReader(text))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("submit: %w", err)
	}
	defer resp.Body.Close()
	if answer, _ := io.ReadAll(io.LimitReader(resp.Body, 8<<20)); resp.StatusCode >= 300 {
		return fmt.Errorf("submit: %d %.300s", resp.StatusCode, answer)
	}
	return nil
}
