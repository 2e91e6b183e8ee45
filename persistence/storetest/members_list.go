package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/meta-ad-studio/troupe/persistence"
)

var listCasesOfMembers = []membersCase{
	{"there is nobody at first", func(t *membersTest) {
		t.want("members", t.names(), []string(nil))
		t.want("fallen", t.fallenNames(), []string(nil))
	}},
	{"a beat makes a member, with all that it tells of itself", func(t *membersTest) {
		films, bare := member("films-1"), persistence.Member{Name: "a.bare_one", Started: time.Unix(1, 0).UTC()}
		began := time.Now()
		t.want("returned, fallen, drain", t.beat(t.a, films, long), persistence.Roll{Epoch: t.beat(t.a, films, long).Epoch})
		t.beat(t.b, bare, brief)
		for _, on := range []persistence.Members{t.a, t.b} {
			all := t.list(on)
			for _, m := range all {
				if d := m.Seen.Sub(began); d < -time.Minute || d > time.Minute || m.Seen.Location() != time.UTC {
					t.Errorf("%s was seen %s after its beat, in %s", m.Name, d, m.Seen.Location())
				}
			}
			t.want("members by name", unseen(all), []persistence.Member{bare, films})
		}
	}},
	{"a beat says what the member is now", func(t *membersTest) {
		m := member("m")
		t.beat(t.a, m, long)
		m.Info, m.Seen = json.RawMessage(`{"busy":3}`), time.Unix(5, 0)
		t.beat(t.a, m, long)
		m.Seen = time.Time{}
		t.want("members", unseen(t.list(t.b)), []persistence.Member{m})
		m.Info = nil
		t.beat(t.a, m, long)
		t.want("members", unseen(t.list(t.b)), []persistence.Member{m})
	}},
	{"the epoch changes when a member comes, goes or is another, and then only", epochs},
	{"many that beat at once are all members, and agree", manyMembers},
	{"a member that leaves is gone, and has not fallen", func(t *membersTest) {
		watch := member("watch")
		t.beat(t.a, member("m"), brief)
		t.check(t.a.Leave(t.ctx, "m"))
		t.check(t.a.Leave(t.ctx, "m"))
		t.check(t.b.Leave(t.ctx, "unknown"))
		t.want("members", t.names(), []string(nil))
		t.keeps("nobody falls", brief+brief/2, func() bool { return len(t.fallen()) == 0 }, watch)
		t.want("returned", t.beat(t.a, member("m"), long).Returned, false)
		t.want("members", t.names(), []string{"m", "watch"})
	}},
	{"an ended context ends every method", func(t *membersTest) {
		t.beat(t.a, member("m"), long)
		ctx, cancel := context.WithCancel(t.ctx)
		cancel()
		_, err := t.a.Beat(ctx, member("other"), long)
		expectEnded(t.T, "Beat", err)
		_, err = t.a.List(ctx)
		expectEnded(t.T, "List", err)
		_, err = t.a.Fallen(ctx)
		expectEnded(t.T, "Fallen", err)
		expectEnded(t.T, "Leave", t.a.Leave(ctx, "m"))
		expectEnded(t.T, "Bury", t.a.Bury(ctx, "m"))
		expectEnded(t.T, "AskDrain", t.a.AskDrain(ctx, "m", "ann"))
		t.want("members", t.names(), []string{"m"})
	}},
}

func epochs(t *membersTest) {
	last := int64(0)
	stays := func(what string, roll persistence.Roll) {
		t.Helper()
		if roll.Epoch != last {
			t.Errorf("%s: the epoch went from %d to %d", what, last, roll.Epoch)
		}
	}
	changes := func(what string, roll persistence.Roll) {
		t.Helper()
		if roll.Epoch == last {
			t.Errorf("%s: the epoch stayed %d", what, last)
		}
		last = roll.Epoch
	}
	m, other := member("m"), member("other")
	changes("it comes", t.beat(t.a, m, long))
	stays("it beats", t.beat(t.a, m, long))
	m.Info = json.RawMessage(`{"busy":1}`)
	stays("it tells something else", t.beat(t.a, m, brief))
	stays("it beats at another handle", t.beat(t.b, m, long))
	m.Incarnation++
	changes("its incarnation", t.beat(t.a, m, long))
	m.Address = "10.0.0.2:8091"
	changes("its address", t.beat(t.a, m, long))
	changes("another comes", t.beat(t.b, other, long))
	stays("everybody is told the same", t.beat(t.a, m, long))
	t.check(t.b.Leave(t.ctx, "other"))
	changes("it goes", t.beat(t.a, m, long))
	t.check(t.b.Leave(t.ctx, "other"))
	stays("who has gone can't go", t.beat(t.a, m, long))
}

func manyMembers(t *membersTest) {
	const nodes, beats = 50, 10
	all := []persistence.Members{t.a, t.b}
	for len(all) < nodes {
		all = append(all, t.join())
	}
	var wg sync.WaitGroup
	for i, on := range all {
		wg.Go(func() {
			for n := range beats {
				if roll, err := on.Beat(t.ctx, member(fmt.Sprintf("node-%02d", i)), 10*time.Second); err != nil || roll.Returned || roll.Fallen {
					t.Errorf("beat %d of node %d: %+v, %v", n, i, roll, err)
				}
			}
		})
	}
	wg.Wait()
	names := t.names()
	if len(names) != nodes || !slices.IsSorted(names) {
		t.Errorf("%d members: %v", len(names), names)
	}
	epoch := t.beat(t.a, member("node-00"), long).Epoch
	for i, on := range all {
		if roll := t.beat(on, member(fmt.Sprintf("node-%02d", i)), long); roll.Epoch != epoch {
			t.Errorf("node %d is told epoch %d, the first was told %d", i, roll.Epoch, epoch)
		}
	}
	for i, on := range all[:nodes/2] {
		wg.Go(func() {
			if err := on.Leave(t.ctx, fmt.Sprintf("node-%02d", i)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	t.want("members", t.names(), names[min(nodes/2, len(names)):])
}

var boundCases = []membersCase{
	{"what can't be a member is refused", func(t *membersTest) {
		good := member("m")
		refused := func(what string, change func(*persistence.Member), silence time.Duration) {
			t.Helper()
			m := good
			change(&m)
			if _, err := t.a.Beat(t.ctx, m, silence); !errors.Is(err, persistence.ErrInvalid) {
				t.Errorf("%s: %v, want ErrInvalid", what, err)
			}
		}
		same := func(*persistence.Member) {}
		refused("no name", func(m *persistence.Member) { m.Name = "" }, long)
		refused("no name that may be", func(m *persistence.Member) { m.Name = "a b|c" }, long)
		refused("a negative incarnation", func(m *persistence.Member) { m.Incarnation = -1 }, long)
		refused("a long address", func(m *persistence.Member) { m.Address = text(persistence.MaxMemberAddress + 1) }, long)
		refused("too much", func(m *persistence.Member) { m.Info = json.RawMessage(`"` + text(persistence.MaxMemberInfo-1) + `"`) }, long)
		refused("no JSON", func(m *persistence.Member) { m.Info = json.RawMessage(`{"a":`) }, long)
		refused("no silence", same, 0)
		refused("too short a silence", same, persistence.MinSilence-1)
		refused("too long a silence", same, persistence.MaxSilence+1)
		t.want("members", t.names(), []string(nil))
		good.Info = json.RawMessage(`"` + text(persistence.MaxMemberInfo-2) + `"`)
		good.Address, good.Incarnation = text(persistence.MaxMemberAddress), 1<<62
		t.beat(t.a, good, persistence.MaxSilence)
		t.want("members", unseen(t.list(t.b)), []persistence.Member{good})
		for _, by := range []string{"", text(persistence.MaxMemberAddress + 1)} {
			if err := t.a.AskDrain(t.ctx, "m", by); !errors.Is(err, persistence.ErrInvalid) {
				t.Errorf("asked to drain by %d bytes: %v", len(by), err)
			}
		}
	}},
	{"the list has a bound", func(t *membersTest) {
		var wg sync.WaitGroup
		const callers = 20
		for c := range callers {
			wg.Go(func() {
				for i := c; i < persistence.MaxMembers; i += callers {
					if _, err := t.a.Beat(t.ctx, persistence.Member{Name: fmt.Sprint("node-", i)}, persistence.MaxSilence); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		if _, err := t.b.Beat(t.ctx, member("one-more"), long); !errors.Is(err, persistence.ErrFull) {
			t.Errorf("one more: %v, want ErrFull", err)
		}
		t.beat(t.b, persistence.Member{Name: "node-0"}, persistence.MaxSilence)
		t.want("members", len(t.list(t.b)), persistence.MaxMembers)
		t.check(t.b.Leave(t.ctx, "node-1"))
		t.beat(t.b, member("one-more"), long)
	}},
}

// text is so many letters.
func text(n int) string { return string(slices.Repeat([]byte{'x'}, n)) }
