package httpapi

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are this package's series. Every label is bounded: routes are templates, the rest are fixed words.
type metrics struct {
	requests *prometheus.HistogramVec

	connections  *prometheus.GaugeVec
	opened       *prometheus.CounterVec
	closed       *prometheus.CounterVec
	rejected     *prometheus.CounterVec
	events       *prometheus.CounterVec
	sentBytes    prometheus.Counter
	deliveryLag  *prometheus.HistogramVec
	flushSeconds prometheus.Histogram
	readyAfter   *prometheus.HistogramVec

	credentials *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		requests: prometheus.NewHistogramVec(histogram("http_request_seconds", "How long requests took, streams apart.",
			.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10), []string{"route", "method", "status"}),
		connections: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "troupe_sse_connections", Help: "Streams open now.",
		}, []string{"proto", "scope"}),
		opened:   counter("sse_connections_opened_total", "Streams opened.", "mode"),
		closed:   counter("sse_connections_closed_total", "Streams closed.", "reason"),
		rejected: counter("sse_rejected_total", "Streams refused.", "reason"),
		events:   counter("sse_events_sent_total", "Frames sent.", "event"),
		sentBytes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "troupe_sse_sent_bytes_total", Help: "Bytes of frames sent.",
		}),
		deliveryLag: prometheus.NewHistogramVec(histogram("sse_delivery_lag_seconds", "From this node's learning of a change to its flush.",
			.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5), []string{"class"}),
		flushSeconds: prometheus.NewHistogram(histogram("sse_flush_seconds", "One wake's writes and flush.",
			.0001, .001, .01, .1, .5, 1, 5)),
		readyAfter: prometheus.NewHistogramVec(histogram("sse_ready_seconds", "From opening a stream to its ready.",
			.001, .005, .01, .05, .1, .5, 1, 5), []string{"mode"}),
		credentials: counter("stream_credentials_total", "Stream tokens and tickets given out, taken and refused.", "kind", "result"),
	}
	m.touch()
	reg.MustRegister(m.requests, m.connections, m.opened, m.closed, m.rejected, m.events, m.sentBytes, m.deliveryLag, m.flushSeconds, m.readyAfter,
		m.credentials)
	return m
}

// touch makes every series of streams be there at 0 from the start: a rate does not see the first event of a series that appears
// with it.
func (m *metrics) touch() {
	for _, mode := range []string{"snapshot", "resume"} {
		m.opened.WithLabelValues(mode)
		m.readyAfter.WithLabelValues(mode)
	}
	for _, channel := range []string{"log", "output"} {
		m.opened.WithLabelValues(channel)
	}
	for _, reason := range []string{"client", "done", "drain", "max_age", "expired", "revoked", "slow", "write_timeout", "error"} {
		m.closed.WithLabelValues(reason)
	}
	for _, reason := range []string{"auth", "limit", "draining", "bad_request"} {
		m.rejected.WithLabelValues(reason)
	}
	for _, result := range []string{"issued", "taken", "expired", "refused"} {
		m.credentials.WithLabelValues("token", result)
		m.credentials.WithLabelValues("ticket", result)
	}
	m.credentials.WithLabelValues("ticket", "spent")
	for _, event := range []string{eventHello, eventJob, eventReady, eventRemoved, eventStats, eventPlace, eventBeat, eventFault, eventEnd, eventLog, eventChunk, eventGap} {
		m.events.WithLabelValues(event)
	}
	for _, class := range []string{"transition", "progress"} {
		m.deliveryLag.WithLabelValues(class)
	}
	for _, proto := range []string{"h1", "h2"} {
		for _, scope := range []string{"job", "owner", "ops"} {
			m.connections.WithLabelValues(proto, scope)
		}
	}
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "troupe_" + name, Help: help}, labels)
}

func histogram(name, help string, buckets ...float64) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{
		Name: "troupe_" + name, Help: help, Buckets: buckets,
		NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 160, NativeHistogramMinResetDuration: time.Hour,
	}
}
