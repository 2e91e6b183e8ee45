package actors

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/meta-ad-studio/troupe/persistence"
)

// lineMetrics count what handlers say. All labels are fixed words.
type lineMetrics struct {
	written   *prometheus.CounterVec
	dropped   *prometheus.CounterVec
	followers *prometheus.GaugeVec
	failed    prometheus.Counter
	pending   prometheus.Gauge
}

// Why lines are not in the store.
const (
	dropOldest  = "oldest"  // removed for newer ones
	dropFull    = "full"    // the store would not hold them
	dropRefused = "refused" // of a claim that was overtaken
	dropLate    = "late"    // said after the attempt's end, or too many
	dropLost    = "lost"    // not written in time
)

func newLineMetrics(f *factory) *lineMetrics {
	m := &lineMetrics{
		written:   f.counters("lines_written_total", "Lines of logs and chunks of output that the store took.", "channel"),
		dropped:   f.counters("lines_dropped_total", "Lines that are not in the store, or not any more.", "channel", "reason"),
		followers: f.gauges("lines_followers", "Streams that follow the log or the output of a job.", "channel"),
		failed:    f.counter("lines_write_errors_total", "Batches of lines that the store did not take at the first try."),
		pending:   f.gauge("lines_pending_bytes", "Lines that wait to be written."),
	}
	for _, c := range persistence.Channels {
		m.written.WithLabelValues(c.String())
		m.followers.WithLabelValues(c.String())
		for _, reason := range []string{dropOldest, dropFull, dropRefused, dropLate, dropLost} {
			m.dropped.WithLabelValues(c.String(), reason)
		}
	}
	return m
}
