package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/persistence"
)

// benchDrainNodeCmd is one of the nodes that benchDrainCmd measures when it measures several: it works until its input ends, and
// answers each line of it.
type benchDrainNodeCmd struct {
	storage
	Concurrency int    `help:"Handlers at once."`
	Name        string `help:"Name of the node."`
	Payload     int    `help:"Bytes of payload."`
	CPUProfile  string `help:"Write a CPU profile." name:"cpuprofile" type:"path"`
}

// drained is what a node answers to the order "figures".
type drained struct {
	Handled int64   `json:"handled"`
	CPU     float64 `json:"cpu"` // seconds since its start
	Peak    float64 `json:"peak"`
	Actors  float64 `json:"actors"`
	Rows    float64 `json:"rows"`
	Commits float64 `json:"commits"`
}

// Run works.
func (c *benchDrainNodeCmd) Run(ctx context.Context, o output) error {
	back, err := c.open(ctx, c.Name)
	if err != nil {
		return err
	}
	defer back.close()
	var handled atomic.Int64
	r := &rig{registry: prometheus.NewRegistry(), backends: back, meter: meter{}}
	if r.app, err = actors.New(benchNode(back, r.registry, c.Concurrency)); err != nil {
		return err
	}
	r.app.Handle("bench", func(context.Context, *actors.Job) error { handled.Add(1); return nil })
	if err := r.app.Start(ctx); err != nil {
		return err
	}
	defer r.app.Close()
	b := benching{CPUProfile: c.CPUProfile}
	stop := func() {}
	defer func() { stop() }()
	fmt.Fprintln(o.out, "ready")
	for orders := bufio.NewScanner(os.Stdin); orders.Scan(); {
		var answer any = "done"
		switch word := orders.Text(); word {
		case "figures":
			answer = drained{
				handled.Load(), r.meter.read().self, peakMemory(), r.sum("troupe_actors"),
				r.sum("troupe_write_through_batch_jobs"), r.count("troupe_write_through_batch_jobs"),
			}
		case "pause", "resume":
			if word == "resume" {
				if stop, err = b.profile(); err != nil {
					return err
				}
			}
			_, err = r.app.SetQueue(ctx, "default", func(s *persistence.QueueSettings) { s.Paused = word == "pause" })
		default:
			n, parsed := strconv.Atoi(word)
			payload := benchPayload(c.Payload)
			err = errors.Join(parsed, r.load(ctx, n, func(int) []byte { return payload }))
		}
		if err != nil {
			return err
		}
		if err := json.NewEncoder(o.out).Encode(answer); err != nil {
			return err
		}
	}
	return nil
}

// benchNode is how one of several nodes is set up: a member, as it would be in earnest.
func benchNode(back *backends, registry *prometheus.Registry, concurrency int) actors.Config {
	return actors.Config{
		Node: back.node, Incarnation: back.incarnation, Members: back.members, Store: back.store, Inbox: back.inbox, Bus: back.bus, Artifacts: back.artifacts, Metrics: registry,
		Queues: []actors.Queue{{Name: "default", Concurrency: concurrency}},
		Log:    slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
	}
}

// drainNode is a benchDrainNodeCmd in a process of its own.
type drainNode struct {
	process *exec.Cmd
	input   io.WriteCloser
	said    *bufio.Reader
}

func startDrainNode(ctx context.Context, s storage, c *benchDrainCmd, index int) (*drainNode, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	args := []string{
		"bench", "drain-node", "--redis-url", s.RedisURL, "--redis-prefix", s.RedisPrefix, "--database-url", s.DatabaseURL, "--data", s.Data,
		"--concurrency", strconv.Itoa(c.Concurrency), "--name", fmt.Sprintf("bench-%d", index), "--payload", strconv.Itoa(c.Payload),
	}
	if c.CPUProfile != "" {
		args = append(args, "--cpuprofile", fmt.Sprintf("%s.%d", c.CPUProfile, index))
	}
	n := &drainNode{process: exec.CommandContext(ctx, self, args...)}
	n.process.Stderr = os.Stderr
	if n.input, err = n.process.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := n.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	n.said = bufio.NewReader(out)
	if err := n.process.Start(); err != nil {
		return nil, fmt.Errorf("start a node: %w", err)
	}
	if _, err := n.said.ReadString('\n'); err != nil {
		n.stop()
		return nil, fmt.Errorf("the node did not start: %w", err)
	}
	return n, nil
}

// order gives an order and waits for the answer.
func (n *drainNode) order(word string, answer any) error {
	if _, err := fmt.Fprintln(n.input, word); err != nil {
		return fmt.Errorf("the node is gone: %w", err)
	}
	line, err := n.said.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("the node is gone: %w", err)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(line, answer)
}

func (n *drainNode) stop() {
	_ = n.input.Close()
	_ = n.process.Wait()
}
