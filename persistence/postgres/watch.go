package postgres

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// Watch implements persistence.Store. It has a connection of its own, because a session that listens can't be shared.
// It returns the context's error.
func (s *Store) Watch(ctx context.Context, fresh func(id job.ID)) error {
	config, err := s.config.session()
	if err != nil {
		return err
	}
	for failures := 0; ; failures++ {
		if listen(ctx, config, fresh) {
			failures = 0
		}
		if !pause(ctx, 1+min(failures, maxReconnect)) {
			return ctx.Err()
		}
	}
}

// maxReconnect bounds the wait between attempts to listen: up to 10 ms · 2^9, about 5 s.
const maxReconnect = 9

// listen hands on what is heard until the connection or the context ends, and says whether it ever listened.
func listen(ctx context.Context, config *pgx.ConnConfig, fresh func(id job.ID)) bool {
	c, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return false
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = c.Close(ctx)
	}()
	if _, err := c.Exec(ctx, "LISTEN troupe_fresh"); err != nil {
		return false
	}
	for {
		heard, err := c.WaitForNotification(ctx)
		if err != nil {
			return true
		}
		for text := range strings.SplitSeq(heard.Payload, ",") {
			if id, err := job.ParseID(text); err == nil { // anybody may speak on the channel
				fresh(id)
			}
		}
	}
}

// session is the configuration of a connection that keeps its session, without the bounds on statements.
func (c Config) session() (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(c.ListenURL)
	if err != nil {
		return nil, fmt.Errorf("read the database URL: %w", err)
	}
	c.tune(&config.Config)
	return config, nil
}
