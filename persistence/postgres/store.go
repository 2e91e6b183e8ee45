package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/meta-ad-studio/troupe/persistence"
)

// Store is a persistence.Store in PostgreSQL. Its methods may be called from several goroutines.
type Store struct {
	config   Config
	pool     *pgxpool.Pool
	policies *policyCache
}

var _ persistence.Store = (*Store)(nil)

// Open prepares the store. It does not wait for the server, which may come later: only a configuration that can't be
// right is an error. The schema must be there, see Migrate.
func Open(ctx context.Context, config Config) (*Store, error) {
	config = config.withDefaults()
	poolConfig, err := config.pool()
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(ctx, poolConfig)
	if err != nil {
		return nil, fmt.Errorf("open the database pool: %w", err)
	}
	return &Store{config: config, pool: pool, policies: newPolicyCache()}, nil
}

// Close ends all connections, waiting for calls under way.
func (s *Store) Close() { s.pool.Close() }

// Stat is the state of the connections, for metrics.
func (s *Store) Stat() *pgxpool.Stat { return s.pool.Stat() }

// Ping says whether the server takes writes now, and has the schema.
func (s *Store) Ping(ctx context.Context) error {
	return s.do(ctx, "ping the database", func(ctx context.Context, c conn) error {
		var writable, migrated bool
		err := c.rows(ctx, statements.ping, nil, func(row [][]byte) error {
			writable, migrated = row[0][0] == 1, row[1][0] == 1
			return nil
		})
		switch {
		case err != nil:
			return err
		case !writable:
			return fmt.Errorf("%w: the database is read-only", persistence.ErrUnavailable)
		case !migrated:
			return errNoSchema
		}
		return nil
	})
}

// do runs one call on a connection, again where repeating may help, and maps its error. The call must be safe to repeat.
func (s *Store) do(ctx context.Context, what string, call func(context.Context, conn) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	var err error
	for n := 1; ; n++ {
		if err = s.once(ctx, call); err == nil {
			return nil
		}
		if n == maxAttempts || !repeatable(err) || !pause(ctx, n) {
			return fmt.Errorf("%s: %w", what, mapped(err))
		}
	}
}

func (s *Store) once(ctx context.Context, call func(context.Context, conn) error) error {
	pooled, err := s.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer pooled.Release()
	err = call(ctx, conn{pooled.Conn(), s.config.Pooler})
	if err != nil && stale(err) && !pooled.Conn().IsClosed() {
		_ = pooled.Conn().Close(ctx) // the pool makes another
	}
	return err
}

// conn is a connection for the length of one call.
type conn struct {
	*pgx.Conn
	pooler bool
}

// inBinary is the format of all parameters and of all results.
var inBinary = []int16{pgx.BinaryFormatCode}

// rows runs a statement and hands over each row's columns in the binary format, valid until the next row.
func (c conn) rows(ctx context.Context, st statement, params [][]byte, each func(row [][]byte) error) error {
	var rr *pgconn.ResultReader
	if c.pooler { // parsed and run in one message: whichever session it meets
		rr = c.PgConn().ExecParams(ctx, st.sql, params, nil, inBinary, inBinary)
	} else {
		description, err := c.Prepare(ctx, st.name, st.sql)
		if err != nil {
			return err
		}
		rr = c.PgConn().ExecStatement(ctx, description, params, inBinary, inBinary)
	}
	return drain(rr, each)
}

func drain(rr *pgconn.ResultReader, each func(row [][]byte) error) error {
	var refused error
	for rr.NextRow() {
		if refused == nil {
			refused = each(rr.Values())
		}
	}
	if _, err := rr.Close(); err != nil {
		return err
	}
	return refused
}
