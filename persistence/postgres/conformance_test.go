package postgres

import (
	"testing"

	"github.com/meta-ad-studio/troupe/persistence"
	"github.com/meta-ad-studio/troupe/persistence/storetest"
)

func TestStore(t *testing.T) {
	storetest.Store(t, func(t *testing.T) persistence.Store { return open(t, Config{}) })
}

func TestStoreBehindPooler(t *testing.T) {
	storetest.Store(t, func(t *testing.T) persistence.Store { return open(t, Config{Pooler: true}) })
}
