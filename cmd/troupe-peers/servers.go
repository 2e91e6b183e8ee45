package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"
)

// servers are connections of the measuring's own.
type servers struct {
	redis *redis.Client
	pool  *pgxpool.Pool
	meter meter
}

func (c *cli) open(ctx context.Context) (*servers, error) {
	options, err := redis.ParseURL(c.RedisURL)
	if err != nil {
		return nil, fmt.Errorf("read the URL of redis: %w", err)
	}
	pool, err := pgxpool.New(ctx, c.DatabaseURL)
	if err != nil {
		return nil, fmt.Errorf("connect to postgres: %w", err)
	}
	s := &servers{redis: redis.NewClient(options), pool: pool}
	if s.meter, err = newMeter(ctx, s.redis, s.pool); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *servers) close() {
	s.pool.Close()
	_ = s.redis.Close()
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
