//go:build unix

package cluster_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/persistence"
	"github.com/meta-ad-studio/troupe/persistence/storetest/testenv"
)

// eventually polls until the condition holds.
func eventually(t *testing.T, what string, within time.Duration, holds func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	for tick := time.Tick(10 * time.Millisecond); !holds(); <-tick {
		if time.Since(began) > within {
			t.Fatalf("not within %s: %s", within, what)
		}
	}
	return time.Since(began)
}

// beat tells who is on the list of a node, and who is among its fallen.
func (p *remote) beat(silence time.Duration) (persistence.Roll, string, string) {
	p.t.Helper()
	a := p.do(order{Do: "beat", Self: p.member, Within: silence})
	if a.Error != "" {
		p.t.Fatalf("node %s beats: %s", p.member.Name, a.Error)
	}
	var members, fallen []string
	for _, m := range a.Members {
		members = append(members, m.Name)
	}
	for _, f := range a.Fallen {
		fallen = append(fallen, f.Name)
	}
	return a.Roll, strings.Join(members, " "), strings.Join(fallen, " ")
}

func TestStaticList(t *testing.T) {
	var addresses []string
	for range 3 {
		addresses = append(addresses, fmt.Sprintf("127.0.0.1:%d", testenv.Port(t)))
	}
	nodes := map[string]*remote{}
	begin := func(i int) *remote {
		name := string(rune('a' + i))
		p := start(t, setting{Node: name, Listen: addresses[i], Peers: addresses})
		nodes[name] = p
		return p
	}
	a, b, c := begin(0), begin(1), begin(2)
	const silence = 3 * time.Second
	all := func(list, fallen string, of ...*remote) func() bool {
		return func() bool {
			good := true
			for _, p := range of {
				_, l, f := p.beat(silence)
				good = good && l == list && f == fallen
			}
			return good
		}
	}
	took := eventually(t, "all know all", 10*time.Second, all("a b c", "", a, b, c))
	t.Logf("all know all after %s", took)
	before, _, _ := a.beat(silence)

	c.Kill()
	took = eventually(t, "a killed node is among the fallen", 10*time.Second, all("a b", "c", a, b))
	t.Logf("killed: fallen after %s", took)
	if after, _, _ := a.beat(silence); after.Epoch == before.Epoch || !after.Fallen {
		t.Errorf("the roll does not tell: %+v then %+v", before, after)
	}
	if got := a.do(order{Do: "bury", Node: "c"}); got.Error != "" {
		t.Error(got.Error)
	}
	if !all("a b", "", a, b)() {
		t.Error("a buried node is still among the fallen")
	}
	c = begin(2)
	took = eventually(t, "a restarted node is back", 10*time.Second, all("a b c", "", a, b, c))
	t.Logf("restarted: back after %s", took)

	b.Suspend()
	took = eventually(t, "a silent node is among the fallen", 15*time.Second, all("a c", "b", a, c))
	t.Logf("stopped: fallen after %s", took)
	b.Resume()
	returned := false
	took = eventually(t, "a resumed node is back, and told of its return", 15*time.Second, func() bool {
		roll, _, _ := b.beat(silence)
		returned = returned || roll.Returned
		return all("a b c", "", a, b, c)() && returned
	})
	t.Logf("resumed: back after %s", took)

	if got := a.do(order{Do: "drain", Node: "c", Body: "somebody"}); got.Error != "" {
		t.Error(got.Error)
	}
	if roll, _, _ := c.beat(silence); roll.DrainBy != "somebody" {
		t.Errorf("asked to drain: %+v", roll)
	}
	if got := a.do(order{Do: "drain", Node: "d"}); !got.NotFound {
		t.Errorf("nobody is asked to drain: %+v", got)
	}
	if got := c.do(order{Do: "leave", Node: "c"}); got.Error != "" {
		t.Error(got.Error)
	}
	if !all("a b", "", a, b)() {
		t.Error("a node that has left is still on the list")
	}
	for _, p := range []*remote{a, b, c} {
		p.Quit()
	}
}
