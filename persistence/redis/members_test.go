package redis

import (
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/persistence"
	"github.com/meta-ad-studio/troupe/persistence/storetest"
	"github.com/meta-ad-studio/troupe/persistence/storetest/testenv"
)

func TestMembers(t *testing.T) {
	clients := func(t *testing.T, url string) func() persistence.Members {
		return func() persistence.Members { return connect(t, Config{URL: url, Prefix: t.Name() + "/"}).Members() }
	}
	storetest.Members(t, func(t *testing.T) func() persistence.Members { return clients(t, testenv.Redis(t)) },
		storetest.MembersKill(kill, 3*time.Second),
		storetest.MembersStall(func(t *testing.T) (join func() persistence.Members, stall func() (resume func())) {
			server := testenv.StartRedis(t, testenv.Options{})
			return clients(t, server.URL), func() func() { server.Suspend(); return server.Resume }
		}))
}

// kill ends all connections of a client, as the kernel does for a process that is killed.
func kill(t *testing.T, m persistence.Members) {
	if err := m.(*Members).c.Close(); err != nil {
		t.Error(err)
	}
}
