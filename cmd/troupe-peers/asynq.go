package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"
)

// drainAsynq measures Asynq. Done jobs are not kept.
func (c *cli) drainAsynq(ctx context.Context) (_ result, err error) {
	s, err := c.open(ctx)
	if err != nil {
		return result{}, err
	}
	defer s.close()
	if n, err := s.redis.Exists(ctx, "asynq:queues").Result(); n > 0 || err != nil {
		return result{}, errors.Join(errors.New("this database of redis holds an Asynq already: choose another, as in redis://host:port/7"), err)
	}
	defer func() { err = errors.Join(err, removeAsynq(context.WithoutCancel(ctx), s.redis)) }()
	o := s.redis.Options()
	options := asynq.RedisClientOpt{
		Network: o.Network, Addr: o.Addr, Username: o.Username, Password: o.Password, DB: o.DB, TLSConfig: o.TLSConfig, PoolSize: c.Pool,
	}
	loading, err := c.loadAsynq(ctx, options)
	if err != nil {
		return result{}, err
	}
	var worked atomic.Int64
	handler := asynq.HandlerFunc(func(context.Context, *asynq.Task) error {
		worked.Add(1)
		return nil
	})
	before, began := s.meter.read(), time.Now()
	for range c.Servers {
		server := asynq.NewServer(options, asynq.Config{Concurrency: c.Concurrency, LogLevel: asynq.FatalLevel})
		if err := server.Start(handler); err != nil {
			return result{}, fmt.Errorf("start: %w", err)
		}
		defer server.Shutdown()
	}
	err = until(ctx, 2*time.Millisecond, func() (bool, error) {
		if worked.Load() < int64(c.Jobs) {
			return false, nil
		}
		pipe := s.redis.Pipeline()
		pending, active := pipe.LLen(ctx, "asynq:{default}:pending"), pipe.LLen(ctx, "asynq:{default}:active")
		_, err := pipe.Exec(ctx)
		return pending.Val()+active.Val() == 0, err
	})
	took, spent := time.Since(began), s.meter.read().since(before)
	return measured(c.Jobs, loading, took, spent), err
}

// loadAsynq enqueues one by one, as there is no other way, from 64 callers at once.
func (c *cli) loadAsynq(ctx context.Context, options asynq.RedisClientOpt) (time.Duration, error) {
	options.PoolSize = 64
	client := asynq.NewClient(options)
	defer client.Close()
	payload, began := fmt.Appendf(nil, `{"data":%q}`, c.data()), time.Now()
	var next atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for range 64 {
		group.Go(func() error {
			for next.Add(1) <= int64(c.Jobs) {
				if _, err := client.EnqueueContext(ctx, asynq.NewTask("noop", payload)); err != nil {
					return fmt.Errorf("enqueue: %w", err)
				}
			}
			return nil
		})
	}
	err := group.Wait()
	return time.Since(began), err
}

func removeAsynq(ctx context.Context, rdb *redis.Client) error {
	keys := rdb.Scan(ctx, 0, "asynq:*", 1000).Iterator()
	for keys.Next(ctx) {
		if err := rdb.Unlink(ctx, keys.Val()).Err(); err != nil {
			return fmt.Errorf("remove what Asynq has left: %w", err)
		}
	}
	return keys.Err()
}
