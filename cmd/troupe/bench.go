package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/pprof"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence/postgres"
	"github.com/meta-ad-studio/troupe/persistence/redis"
)

type benchCmd struct {
	Drain   benchDrainCmd   `cmd:"" help:"How fast a backlog of jobs that do nothing is worked off."`
	Latency benchLatencyCmd `cmd:"" help:"How soon after its due time a job starts, and is done, at a steady rate."`
	Stream  benchStreamCmd  `cmd:"" help:"What streams of events cost, and how soon they show the end of a job."`

	StreamNode benchStreamNodeCmd `cmd:"" hidden:""`
	DrainNode  benchDrainNodeCmd  `cmd:"" hidden:""`
}

// benching is what all benches have in common. They work beside whatever else is on the servers: under a Redis prefix and in a
// Postgres schema of their own, which they remove.
type benching struct {
	RedisURL    string `help:"Redis to measure; without, the embedded database is measured." env:"TROUPE_REDIS_URL" placeholder:"URL"`
	DatabaseURL string `help:"Postgres to measure." env:"TROUPE_DATABASE_URL" placeholder:"URL"`
	Rounds      int    `help:"Rounds; the median, least and most of each figure are printed." default:"3"`
	Concurrency int    `help:"Handlers at once." default:"2000"`
	JSON        bool   `help:"Print one JSON object instead of a table." name:"json"`
	CPUProfile  string `help:"Write a CPU profile of what the last round measured, for go tool pprof." name:"cpuprofile" hidden:"" type:"path"`
}

// figures are what one round measured, by name.
type figures map[string]float64

// rounds runs a bench and prints each figure's median, least and most.
func (b *benching) rounds(ctx context.Context, o output, order []string, round func(ctx context.Context) (figures, error)) error {
	all := map[string][]float64{}
	for range b.Rounds {
		f, err := round(ctx)
		if err != nil {
			return err
		}
		for name, value := range f {
			all[name] = append(all[name], value)
		}
	}
	type row struct {
		Name                string
		Median, Least, Most float64
	}
	var rows []row
	for _, name := range order {
		values := all[name]
		if len(values) == 0 {
			continue
		}
		slices.Sort(values)
		rows = append(rows, row{name, values[len(values)/2], values[0], values[len(values)-1]})
	}
	if b.JSON {
		return json.NewEncoder(o.out).Encode(rows)
	}
	fmt.Fprintf(o.out, "%-34s %12s %12s %12s   (%d rounds, load average before %s)\n", "", "median", "least", "most", b.Rounds, loadAverage())
	for _, r := range rows {
		fmt.Fprintf(o.out, "%-34s %12.6g %12.6g %12.6g\n", r.Name, r.Median, r.Least, r.Most)
	}
	return nil
}

// profile starts a CPU profile if one was asked for; stop ends and closes it.
func (b *benching) profile() (stop func(), err error) {
	if b.CPUProfile == "" {
		return func() {}, nil
	}
	file, err := os.Create(b.CPUProfile)
	if err != nil {
		return nil, fmt.Errorf("profile: %w", err)
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return nil, errors.Join(fmt.Errorf("profile: %w", err), file.Close())
	}
	return func() { pprof.StopCPUProfile(); _ = file.Close() }, nil
}

// rig is a node of a bench's own on a clean slate.
type rig struct {
	app      *actors.App
	registry *prometheus.Registry
	backends *backends
	meter    meter
	clean    func()
}

func (b *benching) rig(ctx context.Context, handler actors.Handler) (_ *rig, err error) {
	folder, err := os.MkdirTemp("", "troupe-bench-")
	if err != nil {
		return nil, err
	}
	undo := []func(){func() { _ = os.RemoveAll(folder) }}
	clean := func() {
		for _, f := range slices.Backward(undo) {
			f()
		}
	}
	defer func() {
		if err != nil {
			clean()
		}
	}()
	s := storage{RedisURL: b.RedisURL, DatabaseURL: b.DatabaseURL, RedisPrefix: fmt.Sprintf("bench-%d:", time.Now().UnixNano()), Data: folder, AutoMigrate: true}
	if s.DatabaseURL != "" {
		var drop func() error
		if s.DatabaseURL, drop, err = postgres.Scratch(ctx, s.DatabaseURL); err != nil {
			return nil, err
		}
		undo = append(undo, func() { _ = drop() })
	}
	back, err := s.open(ctx, "bench")
	if err != nil {
		return nil, err
	}
	undo = append(undo, back.close)
	var redisProcess int
	if s.RedisURL != "" {
		scratch, err := redis.Open(ctx, redis.Config{URL: s.RedisURL, Prefix: s.RedisPrefix})
		if err != nil {
			return nil, err
		}
		undo = append(undo, func() { forget(scratch) })
		if redisProcess, err = scratch.Process(ctx); err != nil {
			return nil, err
		}
	}
	registry := prometheus.NewRegistry()
	app, err := actors.New(actors.Config{
		Node: "bench", Store: back.store, Inbox: back.inbox, Bus: back.bus, Artifacts: back.artifacts, Metrics: registry, Lease: time.Minute,
		Queues: []actors.Queue{{Name: "default", Concurrency: b.Concurrency}}, Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
	})
	if err != nil {
		return nil, err
	}
	app.Handle("bench", handler)
	if err := app.Start(ctx); err != nil {
		return nil, err
	}
	undo = append(undo, app.Close)
	return &rig{app, registry, back, newMeter(redisProcess), clean}, nil
}

// forget removes what a round has left on Redis, also after an interrupt, and closes the client.
func forget(scratch *redis.Client) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := errors.Join(scratch.Forget(ctx), scratch.Close()); err != nil {
		fmt.Fprintln(os.Stderr, "bench: some keys are left:", err)
	}
}

// load submits n jobs, through the door that everybody uses.
func (r *rig) load(ctx context.Context, n int, payload func(i int) []byte) error {
	for from := 0; from < n; from += 1000 {
		batch := make([]actors.Submission, min(1000, n-from))
		for i := range batch {
			batch[i] = actors.Submission{Kind: "bench", Payload: payload(from + i), Policy: job.Policy{MaxAttempts: 1}}
		}
		if _, errs := r.app.SubmitAll(ctx, batch); errors.Join(errs...) != nil {
			return errors.Join(errs...)
		}
	}
	return nil
}

// sum is the value of a counter, or the sum of a histogram, over all its labels.
func (r *rig) sum(name string) float64 {
	families, err := r.registry.Gather()
	if err != nil {
		return 0
	}
	total := 0.0
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			total += m.GetCounter().GetValue() + m.GetGauge().GetValue() + m.GetHistogram().GetSampleSum()
		}
	}
	return total
}

// count is how many observations a histogram has.
func (r *rig) count(name string) float64 {
	families, err := r.registry.Gather()
	if err != nil {
		return 0
	}
	total := 0.0
	for _, f := range families {
		if f.GetName() == name {
			for _, m := range f.GetMetric() {
				total += float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return total
}

// until polls a condition.
func until(ctx context.Context, every time.Duration, done func() (bool, error)) error {
	for {
		ok, err := done()
		if ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(every):
		}
	}
}
