package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/persistence"
)

var deathCases = []membersCase{
	{"a member that is silent for too long falls, by the beats of others, and not before", func(t *membersTest) {
		m, watch := member("m"), member("watch")
		before := t.beat(t.b, watch, long)
		t.keeps("who beats does not fall", 2*brief, func() bool {
			t.beat(t.a, m, brief)
			return len(t.fallen()) == 0
		}, watch)
		m.Info = json.RawMessage(`{"last":"words"}`)
		t.beat(t.a, m, brief)
		var seen time.Time
		for _, one := range t.list(t.b) {
			if one.Name == "m" {
				seen = one.Seen
			}
		}
		t.until("it falls", func() bool { return len(t.fallen()) > 0 }, watch)
		for _, f := range t.fallen() {
			t.want("fallen", []string{f.Name, string(f.Info)}, []string{"m", `{"last":"words"}`})
			if silent := f.Since.Sub(seen); silent < brief {
				t.Errorf("it fell after %s of silence, and might be silent for %s", silent, brief)
			}
		}
		t.want("members", t.names(), []string{"watch"})
		roll := t.beat(t.b, watch, long)
		t.want("somebody is fallen", roll.Fallen, true)
		t.want("another epoch", roll.Epoch != before.Epoch, true)
	}},
	{"each member has its own silence, which its last beat says", func(t *membersTest) {
		watch := member("watch")
		t.beat(t.a, member("patient"), brief)
		t.beat(t.a, member("patient"), long)
		t.beat(t.a, member("hasty"), long)
		t.beat(t.a, member("hasty"), brief)
		t.until("one falls", func() bool { return len(t.fallen()) > 0 }, watch)
		t.keeps("the other does not", brief/2, func() bool { return len(t.fallen()) == 1 }, watch)
		t.want("fallen", t.fallenNames(), []string{"hasty"})
		t.want("members", t.names(), []string{"patient", "watch"})
	}},
	{"who was declared dead and beats again is told so, once, and is a member", func(t *membersTest) {
		t.fell("m")
		roll := t.beat(t.a, member("m"), long)
		t.want("returned, fallen", []bool{roll.Returned, roll.Fallen}, []bool{true, false})
		t.want("members", t.names(), []string{"m", "watch"})
		t.want("fallen", t.fallenNames(), []string(nil))
		roll = t.beat(t.a, member("m"), long)
		t.want("returned", roll.Returned, false)
	}},
	{"who was buried is told so, too", func(t *membersTest) {
		t.fell("m")
		for range 2 {
			t.check(t.b.Bury(t.ctx, "m"))
		}
		t.want("fallen", t.fallenNames(), []string(nil))
		t.want("somebody is fallen", t.beat(t.b, member("watch"), long).Fallen, false)
		t.want("returned", t.beat(t.a, member("m"), long).Returned, true)
		t.want("returned", t.beat(t.a, member("m"), long).Returned, false)
		t.want("members", t.names(), []string{"m", "watch"})
	}},
	{"burying takes off the fallen alone", func(t *membersTest) {
		t.beat(t.a, member("m"), long)
		t.check(t.b.Bury(t.ctx, "m"))
		t.check(t.b.Bury(t.ctx, "unknown"))
		t.want("members", t.names(), []string{"m"})
		t.want("returned", t.beat(t.a, member("m"), long).Returned, false)
	}},
	{"the longest dead stands first", func(t *membersTest) {
		for _, name := range []string{"c", "a", "b"} {
			t.fell(name)
		}
		t.want("fallen", t.fallenNames(), []string{"c", "a", "b"})
		t.check(t.a.Bury(t.ctx, "a"))
		t.want("fallen", t.fallenNames(), []string{"c", "b"})
	}},
	{"who leaves after its death is not among the fallen", func(t *membersTest) {
		t.fell("m")
		t.check(t.a.Leave(t.ctx, "m"))
		t.want("fallen", t.fallenNames(), []string(nil))
		t.want("returned", t.beat(t.a, member("m"), long).Returned, false)
	}},
	{"many fall within a few beats of one", func(t *membersTest) {
		const many = 40
		for i := range many {
			t.beat(t.a, member(fmt.Sprint("node-", i)), brief)
		}
		t.until("all have fallen", func() bool { return len(t.fallen()) == many }, member("watch"))
		t.want("members", t.names(), []string{"watch"})
	}},
}

// fell makes a member fall.
func (t *membersTest) fell(name string) {
	t.Helper()
	t.beat(t.a, member(name), brief)
	t.until(name+" falls", func() bool {
		for _, f := range t.fallen() {
			if f.Name == name {
				return true
			}
		}
		return false
	}, member("watch"))
}

var wordCases = []membersCase{
	{"word to drain is told by every beat of the member, and of no other", func(t *membersTest) {
		t.beat(t.a, member("m"), long)
		t.want("nobody asked", t.beat(t.a, member("m"), long).DrainBy, "")
		for _, by := range []string{"ann", "bob “the\n2nd” 🎬"} {
			t.check(t.b.AskDrain(t.ctx, "m", by))
			t.want("drain", t.beat(t.a, member("m"), long).DrainBy, by)
			t.want("drain", t.beat(t.a, member("m"), long).DrainBy, by)
			t.want("drain", t.beat(t.b, member("other"), long).DrainBy, "")
		}
	}},
	{"who is no member can't be asked to drain", func(t *membersTest) {
		if err := t.a.AskDrain(t.ctx, "m", "ann"); !errors.Is(err, persistence.ErrNotFound) {
			t.Errorf("a stranger: %v, want ErrNotFound", err)
		}
		t.fell("m")
		if err := t.a.AskDrain(t.ctx, "m", "ann"); !errors.Is(err, persistence.ErrNotFound) {
			t.Errorf("a fallen one: %v, want ErrNotFound", err)
		}
	}},
	{"word to drain goes with the member", func(t *membersTest) {
		t.beat(t.a, member("m"), long)
		t.check(t.b.AskDrain(t.ctx, "m", "ann"))
		t.check(t.a.Leave(t.ctx, "m"))
		t.want("drain after leaving", t.beat(t.a, member("m"), long).DrainBy, "")
		t.check(t.b.AskDrain(t.ctx, "m", "ann"))
		t.fell("m")
		t.want("drain after falling", t.beat(t.a, member("m"), long).DrainBy, "")
	}},
}

// killedMember falls within the time, though it might be silent for twice as long.
func killedMember(t *membersTest, kill func(*testing.T, persistence.Members), within time.Duration) {
	silence := min(2*within, persistence.MaxSilence)
	dead, began := t.join(), time.Now()
	t.until("the list has been well for long enough", func() bool {
		t.beat(dead, member("m"), silence)
		t.beat(t.a, member("alive"), silence)
		return time.Since(began) > silence+brief
	}, member("watch"))
	kill(t.T, dead)
	died := time.Now()
	t.until("it falls", func() bool {
		t.beat(t.a, member("alive"), silence)
		return len(t.fallen()) > 0
	}, member("watch"))
	if took := time.Since(died); took > within {
		t.Errorf("it fell after %s, want at most %s", took, within)
	}
	t.want("fallen", t.fallenNames(), []string{"m"})
}

// stalledList: nodes go on beating at a list that does not answer.
func stalledList(t *membersTest, stall func() (resume func())) {
	const nodes, silence, away = 5, 2 * time.Second, 5 * time.Second
	var wg sync.WaitGroup
	done := make(chan struct{})
	defer wg.Wait()
	defer close(done)
	for i := range nodes {
		on := t.join()
		wg.Go(func() {
			ticks := time.NewTicker(beatEvery)
			defer ticks.Stop()
			for {
				roll, err := on.Beat(t.ctx, member(fmt.Sprint("node-", i)), silence)
				if err != nil && !errors.Is(err, persistence.ErrUnavailable) || roll.Returned || roll.Fallen {
					t.Errorf("node %d is told %+v, %v", i, roll, err)
				}
				select {
				case <-done:
					return
				case <-ticks.C:
				}
			}
		})
	}
	eventually(t, "all are members", func() bool { return len(t.list(t.a)) == nodes })
	resume := stall()
	ended := time.Now().Add(away)
	eventually(t, "the list is away for a while", func() bool { return time.Now().After(ended) })
	resume()
	began := time.Now()
	eventually(t, "nobody falls", func() bool {
		all, err := t.a.Fallen(t.ctx)
		if len(all) > 0 {
			t.Fatalf("%s after the list is back, fallen: %+v", time.Since(began), all)
		}
		return err == nil && time.Since(began) > 2*silence
	})
	t.want("members", len(t.list(t.a)), nodes)
}
