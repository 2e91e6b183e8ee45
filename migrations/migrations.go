// Package migrations holds the schema of every SQL store and brings a database to it.
//
// Each dialect has a folder of numbered SQL files, embedded in the binary. A file that was released is never edited:
// a change is a new file. Which files a database has is kept in its table troupe_migrations, a name of our own, so that
// a database shared with a program that keeps its migrations the same way stays in order.
//
// Who migrates with a tool of their own takes the SQL from Print, which also records what it applied.
package migrations

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed postgres/*.sql sqlite/*.sql
var files embed.FS

// Dialect selects a folder of migrations.
type Dialect string

// The dialects.
const (
	Postgres Dialect = "postgres"
	SQLite   Dialect = "sqlite"
)

const (
	table = "troupe_migrations"
	// lockID is the advisory lock under which Postgres is migrated; any number does that no other program uses.
	lockID = 7_405_114_622_041_775
	// lockSeconds is how long to wait for another node that is migrating.
	lockSeconds = 300
)

// Migration is one file, and when it was applied.
type Migration struct {
	Version int64
	Name    string    // file name
	Applied time.Time // zero if it was not
}

// Set is a dialect's migrations over one database.
type Set struct{ provider *goose.Provider }

// New binds the dialect's migrations to a database, which stays the caller's to close. Postgres needs a connection of
// its own for an advisory lock: not one behind a pooler in transaction mode, and without a statement timeout.
func New(dialect Dialect, db *sql.DB) (*Set, error) {
	folder, err := fs.Sub(files, string(dialect))
	if err != nil {
		return nil, fmt.Errorf("migrations of %q: %w", dialect, err)
	}
	options := []goose.ProviderOption{goose.WithTableName(table), goose.WithDisableGlobalRegistry(true)}
	var gooseDialect goose.Dialect
	switch dialect {
	case Postgres:
		gooseDialect = goose.DialectPostgres
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockID(lockID), lock.WithLockTimeout(1, lockSeconds))
		if err != nil {
			return nil, fmt.Errorf("migrations of %q: %w", dialect, err)
		}
		options = append(options, goose.WithSessionLocker(locker))
	case SQLite:
		gooseDialect = goose.DialectSQLite3
	default:
		return nil, fmt.Errorf("migrations of %q: unknown dialect", dialect)
	}
	provider, err := goose.NewProvider(gooseDialect, db, folder, options...)
	if err != nil {
		return nil, fmt.Errorf("migrations of %q: %w", dialect, err)
	}
	return &Set{provider}, nil
}

// Up applies what is missing, each file in one transaction, and says what it applied. With nothing missing it does
// nothing. Several nodes may call it at once.
func (s *Set) Up(ctx context.Context) ([]Migration, error) {
	results, err := s.provider.Up(ctx)
	if err != nil {
		return nil, fmt.Errorf("migrate up: %w", err)
	}
	var done []Migration
	for _, r := range results {
		done = append(done, Migration{r.Source.Version, path.Base(r.Source.Path), time.Now().UTC()})
	}
	return done, nil
}

// Down undoes the last applied file, with all data that only it knows. It answers what it undid: the zero Migration
// if there was nothing.
func (s *Set) Down(ctx context.Context) (Migration, error) {
	result, err := s.provider.Down(ctx)
	switch {
	case errors.Is(err, goose.ErrNoNextVersion):
		return Migration{}, nil
	case err != nil:
		return Migration{}, fmt.Errorf("migrate down: %w", err)
	}
	return Migration{Version: result.Source.Version, Name: path.Base(result.Source.Path)}, nil
}

// Status lists all files, oldest first.
func (s *Set) Status(ctx context.Context) ([]Migration, error) {
	states, err := s.provider.Status(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the state of the migrations: %w", err)
	}
	var all []Migration
	for _, st := range states {
		m := Migration{Version: st.Source.Version, Name: path.Base(st.Source.Path)}
		if st.State == goose.StateApplied {
			m.Applied = st.AppliedAt
		}
		all = append(all, m)
	}
	return all, nil
}

// Pending lists the files that the database lacks, oldest first.
func (s *Set) Pending(ctx context.Context) ([]Migration, error) {
	all, err := s.Status(ctx)
	if err != nil {
		return nil, err
	}
	var pending []Migration
	for _, m := range all {
		if m.Applied.IsZero() {
			pending = append(pending, m)
		}
	}
	return pending, nil
}
