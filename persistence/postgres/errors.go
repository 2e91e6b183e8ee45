package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/meta-ad-studio/troupe/persistence"
)

// errNoSchema is ErrUnavailable and not ErrInvalid: the same call succeeds once somebody has migrated.
var errNoSchema = fmt.Errorf("%w: the schema is missing or old, run the migrations", persistence.ErrUnavailable)

// repeatable says whether the same call may succeed when it is made again at once: the server undid it for the sake of
// another, or the connection broke.
func repeatable(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	pg, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return !ours(err) // what remains is the connection
	}
	switch pg.Code {
	case "40P01", "40001", "55P03", // deadlock, serialization, lock timeout
		"57P01", "57P02", "57P03", // shutting down, crashed, starting up
		"53300",                   // too many connections
		"26000", "0A000", "42P05", // a prepared statement is gone, out of date, or there already
		"25006": // a primary that became a standby: there may be another
		return true
	}
	return strings.HasPrefix(pg.Code, "08")
}

// stale says whether a connection that still stands must not be used again: its prepared statements are not what we
// believe, or its server has become a standby.
func stale(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (pg.Code == "26000" || pg.Code == "0A000" || pg.Code == "42P05" || pg.Code == "25006")
}

// ours says whether an error is one of the contract's already.
func ours(err error) bool {
	return errors.Is(err, persistence.ErrInvalid) || errors.Is(err, persistence.ErrNotFound) || errors.Is(err, persistence.ErrUnavailable)
}

// mapped turns an error into one of the contract's, keeping its text.
func mapped(err error) error {
	if ours(err) {
		return err
	}
	pg, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return fmt.Errorf("%w: %w", persistence.ErrUnavailable, err)
	}
	switch {
	case strings.HasPrefix(pg.Code, "22"), strings.HasPrefix(pg.Code, "23"), strings.HasPrefix(pg.Code, "54"):
		return fmt.Errorf("%w: %w", persistence.ErrInvalid, err) // data, constraint, a limit of the server's such as nesting
	case pg.Code == "53100", pg.Code == "53200":
		return fmt.Errorf("%w: %w", persistence.ErrFull, err) // disk, memory
	case pg.Code == "42P01", pg.Code == "42703", pg.Code == "42883", pg.Code == "3F000":
		return fmt.Errorf("%w: %w", errNoSchema, err)
	}
	return fmt.Errorf("%w: %w", persistence.ErrUnavailable, err)
}

// maxAttempts bounds how often one call is made. The caller is told then, and knows better what to do.
const maxAttempts = 5

// pause waits before the n-th repetition, from 1: up to 10 ms, doubling each time, jittered over its whole width so
// that two which collided do not meet again. It answers false if the context ended.
func pause(ctx context.Context, n int) bool {
	timer := time.NewTimer(time.Duration(rand.Int64N(int64(10 * time.Millisecond << (n - 1)))))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
