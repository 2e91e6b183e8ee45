package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/meta-ad-studio/troupe/migrations"
	"github.com/meta-ad-studio/troupe/persistence"
)

// DB is a troupe's file, open. Its methods, and those of its store and inbox, may be called from several goroutines.
type DB struct {
	lock       *lockFile
	writer     *writer
	readers    *readers
	queues     queues
	wakes      wakes
	generation string
	closeOnce  sync.Once
	closeErr   error
}

type (
	store struct{ *DB }
	inbox struct{ *DB }
)

// Open opens the file, making it and its folder if they are not there, and brings its schema up to date. It ends all
// leases: whoever held them is dead. It fails with the process's id if another process has the file. The context bounds the opening only.
func Open(ctx context.Context, path string) (*DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	lock, err := acquire(path)
	if err != nil {
		return nil, err
	}
	db := &DB{lock: lock}
	if err := db.start(ctx, path); err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", path, err), lock.release())
	}
	go db.writer.run()
	return db, nil
}

func (db *DB) start(ctx context.Context, path string) error {
	if err := migrate(ctx, path); err != nil {
		return err
	}
	conn, err := connect(source(path, writerCache))
	if err != nil {
		return err
	}
	db.writer = newWriter(conn, &db.queues, &db.wakes)
	if err := db.recover(ctx, conn); err != nil {
		return errors.Join(err, conn.close())
	}
	if db.readers, err = openReaders(path, db.writer.closing); err != nil {
		return errors.Join(err, conn.close())
	}
	return nil
}

// migrate applies the schema through a connection that is closed again: the migrating library wants one of database/sql.
func migrate(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", source(path, readerCache))
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	db.SetMaxOpenConns(1)
	set, err := migrations.New(migrations.SQLite, db)
	if err == nil {
		_, err = set.Up(ctx)
	}
	return errors.Join(classify(err), db.Close())
}

var (
	nameGeneration = inline("name generation", "INSERT INTO facts (name, value) VALUES ('generation', ?) ON CONFLICT DO NOTHING")
	readGeneration = inline("read generation", "SELECT value FROM facts WHERE name = 'generation'")
	endLeases      = inline("end leases", "UPDATE inbox SET due = 0 WHERE queue = ? AND state = 3 AND due > 0")
	touchFile      = inline("ping", "INSERT INTO facts (name, value) VALUES ('pinged', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value")
)

// recover reads what memory keeps, and ends the leases of the process that had the file before.
func (db *DB) recover(ctx context.Context, conn *connection) error {
	if _, err := conn.exec(nameGeneration, rand.Text()); err != nil {
		return err
	}
	if err := conn.read(ctx, readGeneration, nil, func(r row) error { db.generation = r.text(0); return nil }); err != nil {
		return err
	}
	if err := db.queues.loadAll(ctx, conn); err != nil {
		return err
	}
	for _, q := range db.queues.byName {
		if q.saved.Load().leased == 0 {
			continue
		}
		if _, err := conn.exec(endLeases, q.n); err != nil {
			return err
		}
	}
	return nil
}

// Store is the file as a store.
func (db *DB) Store() persistence.Store { return store{db} }

// Inbox is the file as an inbox.
func (db *DB) Inbox() persistence.Inbox { return inbox{db} }

// Close answers what was taken in, closes the file and gives it free. Whatever is called afterwards is refused as unavailable.
func (db *DB) Close() error {
	db.closeOnce.Do(func() {
		close(db.writer.closing)
		<-db.writer.stopped
		db.closeErr = errors.Join(db.readers.close(), db.writer.conn.close(), db.lock.release())
		if db.closeErr != nil {
			db.closeErr = fmt.Errorf("close database: %w", db.closeErr)
		}
	})
	return db.closeErr
}

// Ping implements persistence.Store and persistence.Inbox: it writes to the disk, as nothing less would tell.
func (db *DB) Ping(ctx context.Context) error {
	return db.writer.do(ctx, "ping", 1, func(c *change) error {
		_, err := c.exec(touchFile, c.now.UTC().Format("2006-01-02T15:04:05.000000Z"))
		return err
	})
}

// Generation implements persistence.Inbox. The file was given its own when it was made.
func (db *DB) Generation(context.Context) (string, error) {
	select {
	case <-db.writer.closing:
		return "", errClosed
	default:
		return db.generation, nil
	}
}

// untilEnd blocks until the context ends or the database closes.
func (db *DB) untilEnd(ctx context.Context, doing string) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-db.writer.closing:
		return fmt.Errorf("%s: %w", doing, errClosed)
	}
}
