package main

import (
	"context"
	"syscall"
	"testing"
	"time"
)

// The node is replaced, as in a deploy: for some seconds there is only a proxy, which says 503 or nothing. The page says so, is not loaded
// again, and shows the jobs to their end on the new process.
func tellDeploy(t *testing.T, browser context.Context, troupe string) {
	node := startWatched(t, troupe)
	door, p := openDoor(t, node), openTab(t, browser)
	p.shorten()
	p.visit(door.url("/"))
	p.wait(live)
	_ = tabAsk[bool](p, `window.notReloaded = true`)
	p.order("The lighthouse")
	node.video("The harbour", 30)
	p.filled("The lighthouse", 5)
	p.filled("The harbour", 5)

	door.away.Store(true)
	node.end(syscall.SIGTERM)
	began := time.Now()
	p.wait(reconnecting)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the page said after %s that it is not live", took)
	}
	asked := door.streams.Load()
	soon(t, "three attempts at the stream", func() bool { return door.streams.Load() >= asked+3 })
	p.wait(reconnecting)
	if !tabAsk[bool](p, `document.querySelectorAll('.card').length === 2 && card('The harbour').dataset.status !== 'completed'`) {
		t.Errorf("while nobody was there:\n%s", p.text())
	}

	node.start()
	door.away.Store(false)
	p.wait(live)
	back := time.Now()
	p.status("The lighthouse", "completed")
	p.status("The harbour", "completed")
	t.Logf("%s; done %s after it was live again", door, time.Since(back))
	p.forwards()
	for _, title := range []string{"The lighthouse", "The harbour"} {
		if seen := p.glimpses(title); seen[len(seen)-1].Percent != 100 {
			t.Errorf("%s ended at %g percent", title, seen[len(seen)-1].Percent)
		}
		if j := node.job(title); j.Run != 1 || j.Status != "completed" {
			t.Errorf("%+v", j)
		}
	}
	if !tabAsk[bool](p, `window.notReloaded === true`) {
		t.Error("the page was loaded again")
	}
	p.clean(true)
}
