package httpapi

import (
	"fmt"
	"slices"
	"testing"

	"github.com/meta-ad-studio/troupe/persistence/storetest/testenv"
)

func (r *rig) streamList() (l streamList) {
	r.t.Helper()
	do(r.t, r.Server, "GET", "/v1/streams", "", asStudio...).decode(r.t, &l)
	return l
}

func TestStreamsAreListed(t *testing.T) {
	t.Parallel()
	rig := newWorld(t, testenv.Redis(t)).guarded(nil)
	id, _ := rig.order(`{"kind":"gate","owner":"u1"}`)
	if l := rig.streamList(); len(l.Streams) != 0 || l.Node != rig.config.Name {
		t.Errorf("%+v", l)
	}
	w := watch(t, rig.URL, "/v1/jobs/"+id.String()+"/stream")
	w.token = rig.token(60, "owner:u1")
	c := w.connect(limited(t))
	defer c.close()
	c.until(eventReady)
	wide := watch(t, rig.URL, "/v1/stream?topic=all&topic=queue:default")
	wide.token = studio
	d := wide.connect(limited(t))
	d.until(eventReady)
	l := rig.streamList()
	if len(l.Streams) != 2 {
		t.Fatalf("%+v", l)
	}
	first, second := l.Streams[0], l.Streams[1]
	if first.ID != c.hello.Stream || first.Principal != "studio" || first.Remote != "127.0.0.1" || first.Proto != "h1" || first.Mode != "snapshot" ||
		fmt.Sprint(first.Topics) != "[job:"+id.String()+"]" || first.Opened.IsZero() {
		t.Errorf("%+v", first)
	}
	if fmt.Sprint(second.Topics) != "[all queue:default]" {
		t.Errorf("%+v", second)
	}
	waitFor(t, "frames to be counted", func() bool {
		l := rig.streamList()
		return !slices.ContainsFunc(l.Streams, func(r streamRow) bool { return r.Sent < 3 })
	})
	d.close()
	rig.release <- struct{}{}
	c.until(eventEnd)
	waitFor(t, "both to be gone", func() bool {
		l := rig.streamList()
		return len(l.Streams) == 0 && l.Closed["done"] == 1 && l.Closed["client"] == 1
	})
}

// The server of a studio hands tokens to many: its own bound does not hold them all, an owner's holds that owner.
func TestStreamsAreCappedByOwner(t *testing.T) {
	t.Parallel()
	rig := newWorld(t, testenv.Redis(t)).guarded(func(c *Config) { c.Streams.PerPrincipal = 2 })
	for _, owner := range []string{"u1", "u2", "u3"} {
		w := watch(t, rig.URL, "/v1/stream")
		for range 2 {
			w.token = rig.token(60, "owner:"+owner)
			c := w.connect(limited(t))
			defer c.close()
		}
		r := do(t, rig.Server, "GET", "/v1/stream", "", bearing(rig.token(60, "owner:"+owner))...)
		if p := r.problem(t); p.Status != 429 || p.Code != "too_many" || r.Header.Get("Retry-After") == "" {
			t.Errorf("%s: %+v", owner, p)
		}
	}
}

// Behind a proxy each client has its own bound.
func TestStreamsAreCappedByAddressBehindAProxy(t *testing.T) {
	t.Parallel()
	proxies, err := ParseProxies([]string{"127.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	rig := newRig(t, func(c *Config) { c.Streams.PerIP, c.Proxies = 1, proxies })
	from := func(hop string) *connection {
		w := watch(t, rig.URL, "/v1/stream")
		w.forwarded = hop
		return w.dial(limited(t))
	}
	for hop, want := range map[string]int{"198.51.100.1": 429, "2001:db8::1": 429, "2001:db8::2": 0, "198.51.100.2": 429} {
		if want == 0 {
			continue // of the same /64 as its neighbour, below
		}
		c := from(hop)
		defer c.close()
		if c.resp.StatusCode != 200 {
			t.Errorf("%s: %d", hop, c.resp.StatusCode)
		}
		again := from(hop)
		if again.close(); again.resp.StatusCode != want {
			t.Errorf("%s again: %d", hop, again.resp.StatusCode)
		}
	}
	neighbour := from("2001:db8::2")
	if neighbour.close(); neighbour.resp.StatusCode != 429 {
		t.Errorf("of the same /64: %d", neighbour.resp.StatusCode)
	}
	made := from("7.7.7.7, 198.51.100.1")
	if made.close(); made.resp.StatusCode != 429 {
		t.Errorf("with a made-up hop before its own: %d", made.resp.StatusCode)
	}
}
