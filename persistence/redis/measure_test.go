package redis

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
	"github.com/meta-ad-studio/troupe/persistence/storetest"
	"github.com/meta-ad-studio/troupe/persistence/storetest/testenv"
)

// BenchmarkBatches measures what a job costs in batches of 500: wall time, and processor time of this process and of the
// server, for each of the four calls that a job's life takes. All jobs wait first; then each batch is claimed,
// published and, four batches later, settled. One b.N is 50,000 jobs.
func BenchmarkBatches(b *testing.B) {
	for _, durable := range []bool{false, true} {
		b.Run(fmt.Sprintf("durable=%v", durable), func(b *testing.B) {
			server := testenv.StartRedis(b, testenv.Options{Durable: durable})
			m := &meter{B: b, c: connect(b, Config{URL: server.URL}), steps: make(map[string]*cost)}
			rng := storetest.Random(b)
			for b.Loop() {
				m.life(rng)
			}
			b.ReportMetric(0, "ns/op")
			for name, cost := range m.steps {
				jobs := float64(b.N * measuredJobs)
				b.ReportMetric(float64(cost.wall.Nanoseconds())/1e3/jobs, name+"-µs")
				b.ReportMetric(float64(cost.client.Nanoseconds())/1e3/jobs, name+"-client-µs")
				b.ReportMetric(float64(cost.server.Nanoseconds())/1e3/jobs, name+"-redis-µs")
			}
		})
	}
}

const (
	measuredBatch = 500
	measuredJobs  = 50_000
	measuredHeld  = 4 // batches in flight
)

type meter struct {
	*testing.B
	c     *Client
	steps map[string]*cost
}

type cost struct{ wall, client, server time.Duration }

// step adds what the work takes to the step's cost.
func (m *meter) step(name string, work func() error) {
	cost := m.steps[name]
	if cost == nil {
		cost = newCost(m, name)
	}
	its, mine, now := serverCPU(m.B, m.c), ownCPU(m.B), time.Now()
	if err := work(); err != nil {
		m.Fatal(err)
	}
	cost.wall += time.Since(now)
	cost.client += ownCPU(m.B) - mine
	cost.server += serverCPU(m.B, m.c) - its
}

func newCost(m *meter, name string) *cost {
	m.steps[name] = new(cost)
	return m.steps[name]
}

// life takes the jobs through their lives.
func (m *meter) life(rng *rand.Rand) {
	ctx, in, bus := m.Context(), m.c.Inbox(), m.c.Bus("node-a")
	states := make([][]persistence.State, measuredJobs/measuredBatch)
	for i := range states {
		entries, s := measuredEntries(rng)
		states[i] = s
		m.step("enqueue", func() error { _, err := in.Enqueue(ctx, "films", entries); return err })
	}
	var held [][]persistence.Settlement
	settle := func() {
		m.step("settle", func() error { _, err := in.Settle(ctx, "films", held[0]); return err })
		held = held[1:]
	}
	for i := range states {
		var claims []persistence.Claim
		m.step("claim", func() (err error) {
			claims, err = in.Claim(ctx, "films", "node-a", persistence.Ask{Max: measuredBatch, Lease: time.Minute})
			return err
		})
		m.step("publish", func() error { return bus.Publish(ctx, states[i]) })
		settlements := make([]persistence.Settlement, len(claims))
		for i, c := range claims {
			settlements[i] = persistence.Settlement{Lease: persistence.Lease{ID: c.ID, Token: c.Token, Node: "node-a"}, Verb: persistence.Ack}
		}
		if held = append(held, settlements); len(held) > measuredHeld {
			settle()
		}
	}
	for len(held) > 0 {
		settle()
	}
	if err := m.c.rdb.FlushAll(ctx).Err(); err != nil {
		m.Fatal(err)
	}
}

func measuredEntries(rng *rand.Rand) ([]persistence.Entry, []persistence.State) {
	entries, states := make([]persistence.Entry, measuredBatch), make([]persistence.State, measuredBatch)
	for i := range entries {
		id := storetest.NewID(rng, time.Now())
		j := job.New(job.Spec{ID: id, Kind: "noop", Queue: "films", Payload: bytes.Repeat([]byte("1"), 200), Policy: job.DefaultPolicy()}, time.Now())
		envelope, err := job.EncodeEnvelope(&j)
		if err != nil {
			panic(err)
		}
		entries[i] = persistence.Entry{ID: id, Life: 1, Envelope: envelope}
		states[i] = persistence.State{ID: id, Version: 1, Terminal: true, Final: true, JSON: append([]byte(nil), envelope...)}
	}
	return entries, states
}

func ownCPU(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func serverCPU(b *testing.B, c *Client) (total time.Duration) {
	text, err := c.rdb.Info(b.Context(), "cpu").Result()
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		if name == "used_cpu_user" || name == "used_cpu_sys" {
			seconds, err := strconv.ParseFloat(value, 64)
			if err != nil {
				b.Fatal(err)
			}
			total += time.Duration(seconds * float64(time.Second))
		}
	}
	return total
}
