package sqlite

import (
	"context"
	"errors"
	"fmt"
)

// readers are the connections that only read.
type readers struct {
	idle    chan *connection
	closing <-chan struct{}
}

// readConnections bounds how many reads run at once; more wait.
const readConnections = 4

func openReaders(path string, closing <-chan struct{}) (*readers, error) {
	r := &readers{idle: make(chan *connection, readConnections), closing: closing}
	for range readConnections {
		conn, err := connect(source(path, readerCache, "query_only(1)"))
		if err != nil {
			for range len(r.idle) {
				err = errors.Join(err, (<-r.idle).close())
			}
			return nil, err
		}
		r.idle <- conn
	}
	return r, nil
}

// use lends a connection.
func (r *readers) use(ctx context.Context, doing string, run func(*connection) error) error {
	select {
	case <-r.closing:
		return fmt.Errorf("%s: %w", doing, errClosed)
	default:
	}
	select {
	case conn := <-r.idle:
		defer func() { r.idle <- conn }()
		if err := run(conn); err != nil {
			if ctx.Err() != nil {
				return gaveUp(ctx, doing)
			}
			return fmt.Errorf("%s: %w", doing, err)
		}
		return nil
	case <-r.closing:
		return fmt.Errorf("%s: %w", doing, errClosed)
	case <-ctx.Done():
		return gaveUp(ctx, doing)
	}
}

// read runs one query on a connection of its own.
func (r *readers) read(ctx context.Context, doing string, q *query, args []any, each func(row) error) error {
	return r.use(ctx, doing, func(c *connection) error { return c.read(ctx, q, args, each) })
}

// close waits for the reads that run.
func (r *readers) close() error {
	var errs []error
	for range readConnections {
		errs = append(errs, (<-r.idle).close())
	}
	return errors.Join(errs...)
}
