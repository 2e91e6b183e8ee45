package redis

import (
	"os"
	"testing"

	"github.com/meta-ad-studio/troupe/persistence"
	"github.com/meta-ad-studio/troupe/persistence/storetest"
	"github.com/meta-ad-studio/troupe/persistence/storetest/testenv"
)

func TestMain(m *testing.M) {
	if os.Getenv(beatsVariable) != "" {
		beatForever()
	}
	testenv.Main(m)
}

// connect opens a client that the test's cleanup closes.
func connect(t testing.TB, config Config) *Client {
	t.Helper()
	c, err := Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func TestInbox(t *testing.T) {
	opened := make(map[persistence.Inbox]string)
	open := func(t *testing.T) persistence.Inbox {
		url := testenv.Redis(t)
		in := connect(t, Config{URL: url, Prefix: t.Name() + "/"}).Inbox()
		opened[in] = url
		return in
	}
	storetest.Inbox(t, open,
		storetest.InboxPeer(func(t *testing.T, in persistence.Inbox) persistence.Inbox {
			return connect(t, Config{URL: opened[in], Prefix: in.(*Inbox).c.config.Prefix}).Inbox()
		}),
		storetest.InboxLoss(func(t *testing.T, in persistence.Inbox) {
			if err := in.(*Inbox).c.rdb.FlushDB(t.Context()).Err(); err != nil {
				t.Fatal(err)
			}
		}))
}

func TestBus(t *testing.T) {
	storetest.Bus(t, func(t *testing.T) (a, b persistence.Bus) {
		config := Config{URL: testenv.Redis(t), Prefix: t.Name() + "/"}
		return connect(t, config).Bus("node-a"), connect(t, config).Bus("node-b")
	})
}

func TestOnce(t *testing.T) {
	storetest.Once(t, func(t *testing.T) (a, b persistence.Once) {
		config := Config{URL: testenv.Redis(t), Prefix: t.Name() + "/"}
		return connect(t, config).Once(), connect(t, config).Once()
	})
}
