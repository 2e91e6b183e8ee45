package actors

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// TestAnActorThatTakesNoTurnsIsStalled: an actor that is stuck in a message counts as stalled, with what waits for it, until it goes on;
// one that panics is felt to have begun again, and goes on counting.
func TestAnActorThatTakesNoTurnsIsStalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, err := newMetrics(prometheus.NewRegistry())
		if err != nil {
			t.Fatal(err)
		}
		a := &App{log: slog.New(slog.DiscardHandler), metrics: m, mailboxes: newCrew(), system: newSystem(slog.New(slog.DiscardHandler))}
		defer a.mailboxes.close()
		release := make(chan struct{})
		pid, err := a.spawn("intake-stuck", receiver(func(c actor.Context) {
			switch c.Message() {
			case "stick":
				<-release
			case "panic":
				panic("as asked")
			}
		}))
		if err != nil {
			t.Fatal(err)
		}
		p := a.pulses[0]
		look := func(after time.Duration) string {
			time.Sleep(after)
			a.feelAll(time.Now())
			synctest.Wait()
			return p.state(time.Now())
		}
		if got := look(0); got != "idle" || p.kind != "intake" {
			t.Errorf("a new %s is %s", p.kind, got)
		}
		a.system.Root.Send(pid, "panic")
		if got := look(pulseEvery); got != "idle" || p.restarts.Load() != 1 {
			t.Errorf("after a panic it is %s, with %d restarts", got, p.restarts.Load())
		}
		handled := p.processed.Load()
		for _, message := range []string{"stick", "later", "later"} {
			a.system.Root.Send(pid, message)
		}
		if got := look(pulseEvery); got != "busy" || p.box.UserMessageCount() < 2 {
			t.Errorf("with %d messages waiting it is %s", p.box.UserMessageCount(), got)
		}
		if got := look(2 * stalledAfter); got != "stalled" || testutil.ToFloat64(m.actorStalled) != 1 {
			t.Errorf("stuck, it is %s, and %v are stalled", got, testutil.ToFloat64(m.actorStalled))
		}
		close(release)
		synctest.Wait()
		if got := look(pulseEvery); got != "idle" || testutil.ToFloat64(m.actorStalled) != 0 || p.processed.Load() != handled+3 {
			t.Errorf("released, it is %s, and has handled %d messages more, not 3", got, p.processed.Load()-handled)
		}
		if err := a.system.Root.StopFuture(pid).Wait(); err != nil {
			t.Error(err)
		}
		a.system.Shutdown()
	})
}

type receiver func(c actor.Context)

// Receive implements actor.Actor.
func (r receiver) Receive(c actor.Context) { r(c) }
