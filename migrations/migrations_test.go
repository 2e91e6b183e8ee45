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
