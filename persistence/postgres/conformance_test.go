package postgres

import (
	"testing"

	"github.com/meta-ad-studio/troupe/persistence"
	"github.com/meta-ad-studio/troupe/persistence/storetest"
)

func TestStore(t *testing.T) {
	storetest.Store(t, func(t *testing.T) persistence.Store { return open(t, Config{}) },
		storetest.StoreReopen(func(t *testing.T, st persistence.Store) persistence.Store {
			config := st.(*Store).config
			st.(*Store).Close()
			return open(t, config)
		}))
}

func TestStoreBehindPooler(t *testing.T) {
	storetest.Store(t, func(t *testing.T) persistence.Store { return open(t, Config{Pooler: true}) })
}
