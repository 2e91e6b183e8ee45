package postgres

import (
	"context"
	"database/sql"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/meta-ad-studio/troupe/migrations"
)

// Migrate brings the schema up to date and says what it applied. Several nodes may call it at once.
func (s *Store) Migrate(ctx context.Context) (applied []migrations.Migration, err error) {
	err = s.Migrations(func(set *migrations.Set) error {
		applied, err = set.Up(ctx)
		return err
	})
	return applied, err
}

// Pending lists the migrations that the database lacks.
func (s *Store) Pending(ctx context.Context) (pending []migrations.Migration, err error) {
	err = s.Migrations(func(set *migrations.Set) error {
		pending, err = set.Pending(ctx)
		return err
	})
	return pending, err
}

// Migrations lends the schema's migrations over sessions of their own, which have no bound on the length of a
// statement: an index on a large table takes its time.
func (s *Store) Migrations(use func(*migrations.Set) error) error {
	config, err := s.config.session()
	if err != nil {
		return err
	}
	config.RuntimeParams["lock_timeout"] = "10s" // who waits longer for a table makes everybody else wait behind them
	return lend(stdlib.OpenDB(*config), use)
}

func lend(db *sql.DB, use func(*migrations.Set) error) error {
	defer db.Close()
	set, err := migrations.New(migrations.Postgres, db)
	if err != nil {
		return err
	}
	return use(set)
}
