//go:build unix

package cluster_test

import (
	"strings"
	"testing"
	"time"
)

// quick is how long may take what is said to be at once, on a machine that is busy.
const quick = 500 * time.Millisecond

func TestKilledPeer(t *testing.T) {
	a, b := start(t, setting{Node: "a"}), start(t, setting{Node: "b"})
	know(a, b)
	a.says(b, "hello")
	a.tell(order{Do: "start ask", Node: "b", Body: "hang", Within: 30 * time.Second})
	eventually(t, "b handles it", 5*time.Second, func() bool { return b.do(order{Do: "stats"}).Handled == 2 })
	b.Kill()
	if got := a.hear(); !got.Unavailable || got.Took > 5*time.Second {
		t.Errorf("an ask that waits for a killed node: %+v", got)
	}
	if got := a.ask("b", "hello"); !got.Unavailable || got.Took > quick {
		t.Errorf("an ask of a killed node that is still a member: %+v", got)
	}
	a.knows()
	if got := a.ask("b", "hello"); !got.Unavailable || got.Took > quick {
		t.Errorf("an ask of a killed node that is no member: %+v", got)
	}
	again := start(t, setting{Node: "b", Listen: b.member.Address})
	know(a, again)
	began := time.Now()
	eventually(t, "it answers again at the same address", time.Second, func() bool { return a.ask("b", "hello").Error == "" })
	t.Logf("restarted: answers after %s", time.Since(began))
	again.says(a, "and back")
	a.Quit()
	again.Quit()
}

func TestStoppedPeer(t *testing.T) {
	a, b := start(t, setting{Node: "a"}), start(t, setting{Node: "b"})
	know(a, b)
	a.says(b, "hello")
	b.Suspend()
	if got := a.do(order{Do: "ask", Node: "b", Body: "hello", Within: time.Second}); !got.Unavailable || got.Took > time.Second+quick {
		t.Errorf("an ask never waits longer than told: %+v", got)
	}
	a.tell(order{Do: "start ask", Node: "b", Body: "hello", Within: 30 * time.Second})
	a.tell(order{Do: "start stats"}) // and so it is on its way; if it is not, it fails as well
	a.hear()
	a.tell(order{Do: "start update", Self: a.member})
	for range 2 {
		if got := a.hear(); got.Took > 5*time.Second || got.Error != "" && !got.Unavailable {
			t.Errorf("it fails as soon as the member is dropped: %+v", got)
		}
	}
	b.Resume()
	know(a, b)
	eventually(t, "it answers again", time.Second, func() bool { return a.ask("b", "hello").Error == "" })
	b.says(a, "and back")
	a.Quit()
	b.Quit()
}

func TestStoppedPeerIsNotWaitedForToConnect(t *testing.T) {
	a, b, c := start(t, setting{Node: "a"}), start(t, setting{Node: "b"}), start(t, setting{Node: "c"})
	know(a, b, c)
	b.Suspend()
	if got := a.do(order{Do: "ask", Node: "b", Body: "hello", Within: 30 * time.Second}); !got.Unavailable || got.Took > 2*time.Second+quick {
		t.Errorf("no connection can be made: %+v", got)
	}
	a.tell(order{Do: "start ask", Node: "b", Body: "hello", Within: 30 * time.Second})
	a.tell(order{Do: "ask", Node: "c", Body: "hello"})
	answered := 0
	for range 2 {
		switch got := a.hear(); {
		case got.Body == "a said hello" && got.Took < quick:
			answered++
		case !got.Unavailable:
			t.Errorf("%+v", got)
		}
	}
	if answered != 1 {
		t.Errorf("another node does not answer meanwhile")
	}
	b.Resume()
	eventually(t, "it answers", time.Second, func() bool { return a.ask("b", "hello").Error == "" })
	for _, p := range []*remote{a, b, c} {
		p.Quit()
	}
}

func TestRejoin(t *testing.T) {
	a, b := start(t, setting{Node: "a"}), start(t, setting{Node: "b"})
	know(a, b)
	a.says(b, "hello")
	b.says(a, "hello")
	goroutines := a.do(order{Do: "stats"}).Goroutines
	a.tell(order{Do: "start ask", Node: "b", Body: "hang", Within: 30 * time.Second})
	eventually(t, "b handles it", 5*time.Second, func() bool { return b.do(order{Do: "stats"}).Handled == 2 })
	for range 5 {
		a.tell(order{Do: "rejoin"})
		for range 2 {
			got := a.hear()
			if waited := strings.Contains(got.Error, "ask node b"); got.Error != "" && (!waited || !got.Unavailable) {
				t.Errorf("rejoin: %+v", got)
			} else if waited {
				continue
			}
			break
		}
		old := a.member
		a.member.Incarnation += 1000
		if got := b.ask("a", "stale"); got.Error != "" && !got.Unavailable {
			t.Errorf("before anybody knows: %+v", got)
		}
		a.knows(b)
		if got := b.ask("a", "stale"); !got.Unavailable {
			t.Errorf("an ask of incarnation %d reaches another: %+v", old.Incarnation, got)
		}
		if got := a.ask("b", "fresh"); got.Error != "" {
			t.Errorf("a new incarnation asks one that does not know it yet: %+v", got)
		}
		know(a, b)
		a.says(b, "hello")
		eventually(t, "it answers again", time.Second, func() bool { return b.ask("a", "hello").Error == "" })
	}
	eventually(t, "no goroutine is left behind", 5*time.Second, func() bool { return a.do(order{Do: "stats"}).Goroutines <= goroutines+2 })
	a.Quit()
	b.Quit()
}

func TestBursts(t *testing.T) {
	a, b := start(t, setting{Node: "a"}), start(t, setting{Node: "b"})
	know(a, b)
	a.says(b, "hello")
	before := []report{a.do(order{Do: "stats"}), b.do(order{Do: "stats"})}
	got := a.do(order{Do: "burst", Node: "b", Body: "hello", Times: 5000, At: 60, Within: time.Minute})
	if got.Failed > 0 {
		t.Errorf("5000 asks, 60 at once: %+v", got)
	}
	t.Logf("5000 asks, 60 at once: %s, p50 %s, p99 %s", got.Took, got.Lasted[0], got.Lasted[1])
	got = a.do(order{Do: "burst", Node: "b", Body: "hello", Times: 5000, At: 5000, Within: time.Minute})
	if got.Failed > 0 && !got.Full {
		t.Errorf("5000 asks at once: %+v", got)
	}
	t.Logf("5000 asks at once: %s, %d answered busy", got.Took, got.Failed)
	got = a.do(order{Do: "burst", Node: "b", Body: "hello", Times: 1000, At: 1})
	t.Logf("one after the other: p50 %s, p99 %s, longest %s", got.Lasted[0], got.Lasted[1], got.Lasted[2])
	for i, p := range []*remote{a, b} {
		eventually(t, "no goroutine is left behind", 5*time.Second, func() bool { return p.do(order{Do: "stats"}).Goroutines <= before[i].Goroutines+2 })
		now := p.do(order{Do: "stats"})
		t.Logf("node %s: %d goroutines, heap %d KB before and %d KB after", p.member.Name, now.Goroutines, before[i].Heap>>10, now.Heap>>10)
		p.Quit()
	}
}

func TestCostOfAPeer(t *testing.T) {
	a := start(t, setting{Node: "a"})
	all := []*remote{a}
	for _, name := range []string{"b", "c", "d", "e", "f", "g"} {
		all = append(all, start(t, setting{Node: name}))
	}
	know(all...)
	before := a.do(order{Do: "stats"})
	for _, p := range all[1:] {
		a.says(p, "hello")
		p.says(a, "hello")
	}
	after := a.do(order{Do: "stats"})
	peers := len(all) - 1
	heap, goroutines := (int64(after.Heap)-int64(before.Heap))/int64(peers), (after.Goroutines-before.Goroutines)/peers
	t.Logf("a peer, in both directions: %d KB of heap, %d goroutines", heap>>10, goroutines)
	if heap > 512<<10 || goroutines > 20 {
		t.Error("a peer costs too much")
	}
	for _, p := range all {
		p.Quit()
	}
}
