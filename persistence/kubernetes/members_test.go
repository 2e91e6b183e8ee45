package kubernetes

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/meta-ad-studio/troupe/persistence"
	"github.com/meta-ad-studio/troupe/persistence/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, config Config) *Members {
	t.Helper()
	m, err := Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

func TestMembers(t *testing.T) {
	storetest.Members(t, func(t *testing.T) func() persistence.Members {
		config := startAPI(t).config(t)
		return func() persistence.Members { return open(t, config) }
	}, storetest.MembersStall(func(t *testing.T) (join func() persistence.Members, stall func() (resume func())) {
		a := startAPI(t)
		config := a.config(t)
		return func() persistence.Members { return open(t, config) }, func() func() {
			stalled := make(chan struct{})
			a.set(func(a *api) { a.stalled = stalled })
			return func() { a.set(func(a *api) { a.stalled = nil }); close(stalled) }
		}
	}))
}

func one(name string) persistence.Member {
	return persistence.Member{Name: name, Started: time.Unix(1, 0)}
}

func TestRenewedTokenIsReadAgain(t *testing.T) {
	a := startSecureAPI(t)
	config := a.config(t)
	m := open(t, config)
	a.set(func(a *api) { a.token = "second" })
	if _, err := m.Beat(t.Context(), one("n"), time.Minute); !errors.Is(err, persistence.ErrUnavailable) || !strings.Contains(err.Error(), "token") {
		t.Errorf("with the old token: %v", err)
	}
	if err := os.WriteFile(config.TokenFile, []byte("second"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Beat(t.Context(), one("n"), time.Minute); err != nil {
		t.Errorf("with the new token: %v", err)
	}
}

func TestMissingRightIsNamed(t *testing.T) {
	a := startAPI(t)
	m := open(t, a.config(t))
	for verb, call := range map[string]func() error{
		"create": func() error { _, err := m.Beat(t.Context(), one("n"), time.Minute); return err },
		"list":   func() error { _, err := m.List(t.Context()); return err },
		"delete": func() error { return m.Leave(t.Context(), "n") },
	} {
		a.set(func(a *api) { a.forbidden = verb })
		err := call()
		if !errors.Is(err, persistence.ErrUnavailable) || !strings.Contains(err.Error(), fmt.Sprintf("may not %q", verb)) || !strings.Contains(err.Error(), "namespace studio") {
			t.Errorf("without %s: %v", verb, err)
		}
	}
	a.set(func(a *api) { a.forbidden = "get" })
	if _, err := Open(t.Context(), a.config(t)); err == nil || !strings.Contains(err.Error(), `may not "get"`) {
		t.Errorf("opened without get: %v", err)
	}
}

func TestBusyServerIsAskedAgain(t *testing.T) {
	a := startAPI(t)
	m := open(t, a.config(t))
	a.set(func(a *api) { a.busy = 2 })
	if _, err := m.Beat(t.Context(), one("n"), time.Minute); err != nil {
		t.Error(err)
	}
	a.set(func(a *api) { a.busy = 100 })
	if _, err := m.List(t.Context()); !errors.Is(err, persistence.ErrUnavailable) {
		t.Errorf("at a server that stays busy: %v", err)
	}
}

func TestBeatsArePaced(t *testing.T) {
	a := startAPI(t)
	config := a.config(t)
	config.Pace = time.Hour
	m := open(t, config)
	for range 50 {
		if _, err := m.Beat(t.Context(), one("n"), time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	a.set(func(a *api) {
		if a.requests["create"] != 2 || a.requests["update"] != 0 { // the roll and the member
			t.Errorf("requests: %v", a.requests)
		}
	})
	another := one("n")
	another.Incarnation++
	if _, err := m.Beat(t.Context(), another, time.Minute); err != nil {
		t.Fatal(err)
	}
	if all, err := m.List(t.Context()); err != nil || len(all) != 1 || all[0].Incarnation != 1 {
		t.Errorf("a new incarnation waited: %+v, %v", all, err)
	}
}

func TestExpiredPagesAreReadFromTheBeginning(t *testing.T) {
	a := startAPI(t)
	m := open(t, a.config(t))
	for i := range pageSize + 3 {
		if _, err := m.Beat(t.Context(), one(fmt.Sprint("n", i)), time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	a.set(func(a *api) { a.forgets = true })
	if all, err := m.List(t.Context()); err != nil || len(all) != pageSize+3 {
		t.Errorf("%d members, %v", len(all), err)
	}
	a.set(func(a *api) {
		if a.forgets {
			t.Error("no page was asked for")
		}
	})
}

func TestOutsideOfACluster(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	if _, err := Open(t.Context(), Config{}); err == nil || !strings.Contains(err.Error(), "KUBERNETES_SERVICE_HOST") {
		t.Errorf("opened: %v", err)
	}
}
