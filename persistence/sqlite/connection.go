package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strings"
)

// connection is one bare connection of the driver, with its statements prepared once. Not database/sql's: there a
// pool stands between a statement and its connection, which costs a tenth of the writer's time and buys nothing. It is for one
// goroutine at a time.
type connection struct {
	conn     driver.Conn
	prepared map[*query]driver.Stmt
	args     []driver.NamedValue
}

// Bounds and settings of connections.
const (
	busyTimeout   = 5000 // ms; nobody but a person's own sqlite3 ever makes us wait
	writerCache   = 64 << 10
	readerCache   = 16 << 10 // KiB each
	checkpointAt  = 4000     // pages of 4 KiB in the log before it is copied into the file
	journalAtRest = 64 << 20 // bytes that the log may keep when it is empty
)

// source is the driver's name for the file, with settings. Every connection has the same but for its cache.
func source(path string, cacheKiB int, pragmas ...string) string {
	slashed := filepath.ToSlash(path)
	if !strings.HasPrefix(slashed, "/") {
		slashed = "/" + slashed // a drive letter
	}
	settings := url.Values{"_txlock": {"immediate"}, "_pragma": append([]string{
		fmt.Sprintf("busy_timeout(%d)", busyTimeout),
		"journal_mode(WAL)",
		"synchronous(FULL)",
		"fullfsync(1)", // on macOS a sync alone does not reach the disk
		"checkpoint_fullfsync(1)",
		fmt.Sprintf("cache_size(-%d)", cacheKiB),
		fmt.Sprintf("wal_autocheckpoint(%d)", checkpointAt),
		fmt.Sprintf("journal_size_limit(%d)", journalAtRest),
	}, pragmas...)}
	return (&url.URL{Scheme: "file", Path: slashed, RawQuery: settings.Encode()}).String()
}

func connect(source string) (*connection, error) {
	conn, err := opener.Open(source)
	if err != nil {
		return nil, classify(err)
	}
	return &connection{conn: conn, prepared: map[*query]driver.Stmt{}}, nil
}

func (c *connection) close() error {
	var errs []error
	for _, s := range c.prepared {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, c.conn.Close())...)
}

func (c *connection) prepare(q *query) (driver.Stmt, error) {
	if s, ok := c.prepared[q]; ok {
		return s, nil
	}
	s, err := c.conn.Prepare(q.text)
	if err != nil {
		return nil, fmt.Errorf("prepare %s: %w", q.name, classify(err))
	}
	c.prepared[q] = s
	return s, nil
}

// exec runs a statement and says how many rows it changed.
func (c *connection) exec(q *query, args ...any) (int64, error) {
	s, err := c.prepare(q)
	if err != nil {
		return 0, err
	}
	result, err := s.(driver.StmtExecContext).ExecContext(context.Background(), c.bind(args))
	if err != nil {
		return 0, fmt.Errorf("%s: %w", q.name, classify(err))
	}
	return result.RowsAffected()
}

// read runs a query and gives each row to each, which must keep nothing of the row itself.
func (c *connection) read(ctx context.Context, q *query, args []any, each func(row) error) error {
	s, err := c.prepare(q)
	if err != nil {
		return err
	}
	rows, err := s.(driver.StmtQueryContext).QueryContext(ctx, c.bind(args))
	if err != nil {
		return fmt.Errorf("%s: %w", q.name, classify(err))
	}
	return errors.Join(scan(q, rows, each), rows.Close())
}

func scan(q *query, rows driver.Rows, each func(row) error) error {
	values := make(row, len(rows.Columns()))
	for {
		switch err := rows.Next(values); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("%s: %w", q.name, classify(err))
		}
		if err := each(values); err != nil {
			return err
		}
	}
}

func (c *connection) bind(args []any) []driver.NamedValue {
	c.args = c.args[:0]
	for i, a := range args {
		if n, ok := a.(int); ok {
			a = int64(n)
		}
		c.args = append(c.args, driver.NamedValue{Ordinal: i + 1, Value: a})
	}
	return c.args
}

// once is read for a statement made for one use: it is not kept.
func (c *connection) once(ctx context.Context, q *query, args []any, each func(row) error) error {
	defer func() {
		if s, ok := c.prepared[q]; ok {
			_ = s.Close()
			delete(c.prepared, q)
		}
	}()
	return c.read(ctx, q, args, each)
}
