package postgres

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"
)

// Scratch makes an empty schema beside all others and answers a URL that leads to it, and what drops it with all it
// holds. For measuring on a server that has other work.
func Scratch(ctx context.Context, databaseURL string) (scratchURL string, drop func() error, err error) {
	u, err := url.Parse(databaseURL)
	if err != nil || u.Scheme == "" {
		return "", nil, fmt.Errorf("database URL: want postgres://user:password@host/database: %w", err)
	}
	name := fmt.Sprintf("troupe_scratch_%d", time.Now().UnixNano())
	run := func(ctx context.Context, statement string) error {
		conn, err := pgx.Connect(ctx, databaseURL)
		if err != nil {
			return fmt.Errorf("connect: %w", err)
		}
		defer conn.Close(ctx)
		_, err = conn.Exec(ctx, statement)
		return err
	}
	if err := run(ctx, "CREATE SCHEMA "+name); err != nil {
		return "", nil, err
	}
	query := u.Query()
	query.Set("search_path", name)
	u.RawQuery = query.Encode()
	return u.String(), func() error { return run(context.WithoutCancel(ctx), "DROP SCHEMA "+name+" CASCADE") }, nil
}
