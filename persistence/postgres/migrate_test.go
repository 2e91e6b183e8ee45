package postgres

import (
	"context"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/meta-ad-studio/troupe/migrations"
	"github.com/meta-ad-studio/troupe/persistence/storetest/testenv"
)

func down(set *migrations.Set) error {
	for {
		undone, err := set.Down(context.Background())
		if err != nil || undone.Version == 0 {
			return err
		}
	}
}

func TestMigrationsGoUpAndDownAndUp(t *testing.T) {
	s := open(t, Config{})
	if applied, err := s.Migrate(t.Context()); err != nil || len(applied) != 0 {
		t.Errorf("a second time it applied %v, error %v", applied, err)
	}
	if err := s.Migrations(down); err != nil {
		t.Fatal(err)
	}
	var left int
	err := connect(t, s).QueryRow(t.Context(), `
		SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname NOT LIKE 'troupe_migrations%'`).Scan(&left)
	if err != nil || left != 0 {
		t.Errorf("%d relations are left, error %v", left, err)
	}
	if pending, err := s.Pending(t.Context()); err != nil || len(pending) == 0 {
		t.Errorf("pending after going down: %v, error %v", pending, err)
	}
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	mustCommit(t, s, submitted(newJob()))
}

// TestSettingsOfAnEarlierSchemaSurvive: what an older binary wrote is kept on the way up and on the way down.
func TestSettingsOfAnEarlierSchemaSurvive(t *testing.T) {
	s := open(t, Config{})
	c := connect(t, s)
	exec := func(statement string) {
		t.Helper()
		if _, err := c.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	before := func(set *migrations.Set) error {
		for {
			undone, err := set.Down(t.Context())
			if err != nil || undone.Version <= 4 {
				return err
			}
		}
	}
	for n := range 2 {
		if err := s.Migrations(before); err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			exec("INSERT INTO queue_settings (name, paused, reason, concurrency, updated_at) VALUES ('films', true, 'why', 7, now())")
		}
		if _, err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		all, err := s.Queues(t.Context())
		if err != nil || len(all) != 1 || all[0].Concurrency != 7 || all[0].Everywhere != 0 {
			t.Fatalf("%+v, error %v", all, err)
		}
		exec("UPDATE queue_settings SET everywhere = 9")
	}
}

func TestNodesMigrateAtOnce(t *testing.T) {
	url := testenv.Postgres(t)
	var nodes errgroup.Group
	for range 4 {
		nodes.Go(func() error {
			s, err := Open(t.Context(), Config{URL: url})
			if err != nil {
				return err
			}
			defer s.Close()
			_, err = s.Migrate(t.Context())
			return err
		})
	}
	if err := nodes.Wait(); err != nil {
		t.Fatal(err)
	}
}

func TestPrintedSchemaIsTheSame(t *testing.T) {
	s, err := Open(t.Context(), Config{URL: testenv.Postgres(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := connect(t, s).Exec(t.Context(), migrations.Print(migrations.Postgres)); err != nil {
		t.Fatal(err)
	}
	if pending, err := s.Pending(t.Context()); err != nil || len(pending) != 0 {
		t.Errorf("pending after the printed SQL: %v, error %v", pending, err)
	}
	mustCommit(t, s, submitted(newJob()))
}
