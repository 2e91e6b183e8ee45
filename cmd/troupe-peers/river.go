package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

type noop struct {
	Data string `json:"data"`
}

// Kind implements river.JobArgs.
func (noop) Kind() string { return "noop" }

type noopWorker struct {
	river.WorkerDefaults[noop]
	worked *atomic.Int64
}

// Work implements river.Worker.
func (w *noopWorker) Work(context.Context, *river.Job[noop]) error {
	w.worked.Add(1)
	return nil
}

// drainRiver measures River. Fetches follow each other as closely as it allows; the default of one in 100 ms would be its limit.
func (c *cli) drainRiver(ctx context.Context, workers int) (_ result, err error) {
	s, err := c.open(ctx)
	if err != nil {
		return result{}, err
	}
	defer s.close()
	schema := fmt.Sprintf("troupe_peers_%d", time.Now().UnixNano())
	if _, err := s.pool.Exec(ctx, "CREATE SCHEMA "+schema); err != nil {
		return result{}, fmt.Errorf("create a schema: %w", err)
	}
	defer func() {
		_, dropped := s.pool.Exec(context.WithoutCancel(ctx), "DROP SCHEMA "+schema+" CASCADE")
		err = errors.Join(err, dropped)
	}()
	driver, quiet := riverpgxv5.New(s.pool), slog.New(slog.NewTextHandler(io.Discard, nil))
	migrator, err := rivermigrate.New(driver, &rivermigrate.Config{Schema: schema, Logger: quiet})
	if err != nil {
		return result{}, err
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return result{}, fmt.Errorf("migrate: %w", err)
	}
	var worked atomic.Int64
	registry := river.NewWorkers()
	river.AddWorker(registry, &noopWorker{worked: &worked})
	client, err := river.NewClient(driver, &river.Config{
		Schema: schema, Workers: registry, Logger: quiet, FetchCooldown: river.FetchCooldownMin, FetchPollInterval: river.FetchPollIntervalMin,
		Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: workers}},
	})
	if err != nil {
		return result{}, err
	}
	loading, err := c.loadRiver(ctx, s, client, schema)
	if err != nil {
		return result{}, err
	}
	before, began := s.meter.read(), time.Now()
	if err := client.Start(ctx); err != nil {
		return result{}, fmt.Errorf("start: %w", err)
	}
	left := "SELECT EXISTS (SELECT FROM " + schema + ".river_job WHERE state <> 'completed')"
	err = until(ctx, 2*time.Millisecond, func() (bool, error) {
		if worked.Load() < int64(c.Jobs) {
			return false, nil
		}
		var some bool
		err := s.pool.QueryRow(ctx, left).Scan(&some)
		return !some, err
	})
	took, spent := time.Since(began), s.meter.read().since(before)
	return measured(c.Jobs, loading, took, spent), errors.Join(err, client.Stop(context.WithoutCancel(ctx)))
}

// loadRiver inserts by COPY, then has the planner look at the table: a plan made for an empty one is a bad one.
func (c *cli) loadRiver(ctx context.Context, s *servers, client *river.Client[pgx.Tx], schema string) (time.Duration, error) {
	data, began := c.data(), time.Now()
	for from := 0; from < c.Jobs; from += 10_000 {
		batch := make([]river.InsertManyParams, min(10_000, c.Jobs-from))
		for i := range batch {
			batch[i].Args = noop{data}
		}
		if _, err := client.InsertManyFast(ctx, batch); err != nil {
			return 0, fmt.Errorf("insert: %w", err)
		}
	}
	loading := time.Since(began)
	if _, err := s.pool.Exec(ctx, "ANALYZE "+schema+".river_job"); err != nil {
		return 0, fmt.Errorf("analyze: %w", err)
	}
	return loading, nil
}
