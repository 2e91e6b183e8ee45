package actors

import (
	"context"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// newPulse is the pulse of an actor that is about to be spawned, by the actors' naming: what comes before the first dash is its kind.
func (a *App) newPulse(name string) *pulse {
	kind, _, _ := strings.Cut(name, "-")
	p := &pulse{name: name, kind: kind, born: time.Now(), took: a.metrics.actorMessages.WithLabelValues(kind)}
	a.pulses = append(a.pulses, p)
	return p
}

// feelPulses asks every top-level actor each second whether it takes its turns. It begins once all of them are spawned.
func (a *App) feelPulses(ctx context.Context) error {
	ticks := time.NewTicker(pulseEvery)
	defer ticks.Stop()
	for {
		a.feelAll(time.Now())
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return nil
		}
	}
}

func (a *App) feelAll(now time.Time) {
	stalled := 0
	for _, p := range a.pulses {
		a.metrics.actorMailbox.Observe(float64(p.box.UserMessageCount()))
		if p.stalled(now) {
			stalled++
		}
		if p.asked.CompareAndSwap(0, now.UnixNano()) {
			a.system.Root.Send(p.pid, &beat{})
		}
	}
	a.metrics.actorStalled.Set(float64(stalled))
	jobs, running := gaugeValue(a.metrics.actors), 0.0
	for queue := range a.queues {
		running += gaugeValue(a.metrics.running.WithLabelValues(queue))
	}
	running = min(max(running, 0), jobs)
	a.metrics.actorStates.WithLabelValues("running").Set(running)
	a.metrics.actorStates.WithLabelValues("stopping").Set(jobs - running)
}

// gaugeValue is what a gauge says.
func gaugeValue(g prometheus.Metric) float64 {
	var m dto.Metric
	if g.Write(&m) != nil {
		return 0
	}
	return m.GetGauge().GetValue()
}
