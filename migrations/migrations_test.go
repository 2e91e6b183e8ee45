package migrations_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/meta-ad-studio/troupe/migrations"
)

// The Postgres side of these is tested by its driver, which has a server.

func openSQLite(t *testing.T) (*sql.DB, *migrations.Set) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "t.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	set, err := migrations.New(migrations.SQLite, db)
	if err != nil {
		t.Fatal(err)
	}
	return db, set
}

func TestUpDownUp(t *testing.T) {
	_, set := openSQLite(t)
	pending, err := set.Pending(t.Context())
	if err != nil || len(pending) == 0 {
		t.Fatalf("pending at first: %v, error %v", pending, err)
	}
	for range 2 {
		applied, err := set.Up(t.Context())
		if err != nil || len(applied) != len(pending) {
			t.Fatalf("up: %v, error %v", applied, err)
		}
		if again, err := set.Up(t.Context()); err != nil || len(again) != 0 {
			t.Errorf("up again: %v, error %v", again, err)
		}
		for range applied {
			if undone, err := set.Down(t.Context()); err != nil || undone.Version == 0 {
				t.Fatalf("down: %v, error %v", undone, err)
			}
		}
		if undone, err := set.Down(t.Context()); err != nil || undone.Version != 0 {
			t.Errorf("down of nothing: %v, error %v", undone, err)
		}
	}
}

func TestPrintRecordsWhatItApplies(t *testing.T) {
	db, set := openSQLite(t)
	if _, err := db.ExecContext(t.Context(), migrations.Print(migrations.SQLite)); err != nil {
		t.Fatal(err)
	}
	if pending, err := set.Pending(t.Context()); err != nil || len(pending) != 0 {
		t.Errorf("pending: %v, error %v", pending, err)
	}
	if migrations.Print("oracle") != "" {
		t.Error("printed a schema for an unknown dialect")
	}
}

func TestUnknownDialect(t *testing.T) {
	if _, err := migrations.New("oracle", nil); err == nil {
		t.Error("it was taken")
	}
}

// TestSettingsOfAnEarlierSchemaSurvive: what an older binary wrote is kept on the way up and on the way down.
func TestSettingsOfAnEarlierSchemaSurvive(t *testing.T) {
	db, set := openSQLite(t)
	if _, err := set.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	exec := func(statement string) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	downTo(t, set, 3)
	exec("INSERT INTO queue_settings (name, paused, reason, concurrency, updated_at) VALUES ('films', 1, 'why', 7, 1)")
	for range 2 {
		if _, err := set.Up(t.Context()); err != nil {
			t.Fatal(err)
		}
		var concurrency, everywhere int
		if err := db.QueryRowContext(t.Context(), "SELECT concurrency, everywhere FROM queue_settings").Scan(&concurrency, &everywhere); err != nil {
			t.Fatal(err)
		}
		if concurrency != 7 || everywhere != 0 {
			t.Errorf("concurrency %d, everywhere %d", concurrency, everywhere)
		}
		exec("UPDATE queue_settings SET everywhere = 9")
		exec("INSERT INTO node_incarnations VALUES (1, 5)")
		downTo(t, set, 3)
	}
}

// downTo undoes all that is newer than the version.
func downTo(t *testing.T, set *migrations.Set, version int64) {
	t.Helper()
	for {
		all, err := set.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		newest := int64(0)
		for _, m := range all {
			if !m.Applied.IsZero() {
				newest = m.Version
			}
		}
		if newest <= version {
			return
		}
		if _, err := set.Down(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
