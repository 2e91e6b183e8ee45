package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/meta-ad-studio/troupe/persistence"
	"github.com/meta-ad-studio/troupe/persistence/sqlite"
	"github.com/meta-ad-studio/troupe/persistence/storetest"
)

func open(t testing.TB, path string) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func fresh(t testing.TB) *sqlite.DB { return open(t, filepath.Join(t.TempDir(), "troupe.db")) }

func TestInbox(t *testing.T) {
	storetest.Inbox(t, func(t *testing.T) persistence.Inbox { return fresh(t).Inbox() })
}

func TestStore(t *testing.T) {
	var path string
	var db *sqlite.DB
	storetest.Store(t, func(t *testing.T) persistence.Store {
		path = filepath.Join(t.TempDir(), "troupe.db")
		db = open(t, path)
		return db.Store()
	}, storetest.StoreReopen(func(t *testing.T, _ persistence.Store) persistence.Store {
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		return open(t, path).Store()
	}))
}
