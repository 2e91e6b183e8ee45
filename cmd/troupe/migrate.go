package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/meta-ad-studio/troupe/migrations"
	"github.com/meta-ad-studio/troupe/persistence/postgres"
)

type migrateCmd struct {
	Up     migrateUpCmd     `cmd:"" help:"Apply what the database lacks."`
	Down   migrateDownCmd   `cmd:"" help:"Undo the last migration, with all data that only it knows."`
	Status migrateStatusCmd `cmd:"" help:"List all migrations and when each was applied."`
	Print  migratePrintCmd  `cmd:"" help:"Print the whole schema as SQL, for a tool of your own."`
}

// database is the Postgres to migrate. The embedded database migrates itself.
type database struct {
	configured
	DatabaseURL string `help:"Postgres of the store." env:"TROUPE_DATABASE_URL" placeholder:"URL"`
}

func (d database) with(ctx context.Context, do func(*migrations.Set) error) error {
	if d.DatabaseURL == "" {
		return errors.New("give --database-url (the embedded database migrates itself)")
	}
	if err := readable("--database-url", d.DatabaseURL, "postgres", "postgresql"); err != nil {
		return err
	}
	store, err := postgres.Open(ctx, postgres.Config{URL: d.DatabaseURL, Name: "troupe migrate"})
	if err != nil {
		return unusable("Postgres", d.DatabaseURL, err)
	}
	defer store.Close()
	if err := store.Migrations(do); err != nil {
		return unusable("Postgres", d.DatabaseURL, err)
	}
	return nil
}

type migrateUpCmd struct{ database }

// Run applies what is missing.
func (c *migrateUpCmd) Run(ctx context.Context, o output) error {
	return c.with(ctx, func(set *migrations.Set) error {
		applied, err := set.Up(ctx)
		if err != nil {
			return err
		}
		for _, m := range applied {
			fmt.Fprintln(o.out, "applied", m.Name)
		}
		if len(applied) == 0 {
			fmt.Fprintln(o.out, "nothing to apply: the schema is up to date")
		}
		return nil
	})
}

type migrateDownCmd struct{ database }

// Run undoes the last one.
func (c *migrateDownCmd) Run(ctx context.Context, o output) error {
	return c.with(ctx, func(set *migrations.Set) error {
		undone, err := set.Down(ctx)
		if err != nil {
			return err
		}
		if undone.Version == 0 {
			fmt.Fprintln(o.out, "nothing to undo")
			return nil
		}
		fmt.Fprintln(o.out, "undid", undone.Name)
		return nil
	})
}

type migrateStatusCmd struct {
	database
	JSON bool `help:"Print JSON: an array of {version, name, applied_at}." name:"json"`
}

// Run lists them.
func (c *migrateStatusCmd) Run(ctx context.Context, o output) error {
	return c.with(ctx, func(set *migrations.Set) error {
		all, err := set.Status(ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return printMigrations(o.out, all)
		}
		t := newTable(o.out, "VERSION", "NAME", "APPLIED")
		for _, m := range all {
			when := "no"
			if !m.Applied.IsZero() {
				when = m.Applied.UTC().Format("2006-01-02 15:04:05Z")
			}
			t.row(strconv.FormatInt(m.Version, 10), m.Name, when)
		}
		return t.flush()
	})
}

func printMigrations(w io.Writer, all []migrations.Migration) error {
	type line struct {
		Version int64     `json:"version"`
		Name    string    `json:"name"`
		Applied time.Time `json:"applied_at,omitzero"`
	}
	lines := make([]line, len(all))
	for i, m := range all {
		lines[i] = line{m.Version, m.Name, m.Applied}
	}
	return printJSON(w, lines)
}

type migratePrintCmd struct {
	Dialect string `help:"postgres or sqlite." enum:"postgres,sqlite" default:"postgres"`
}

// Run prints the schema.
func (c *migratePrintCmd) Run(o output) error {
	_, err := fmt.Fprint(o.out, migrations.Print(migrations.Dialect(c.Dialect)))
	return err
}
