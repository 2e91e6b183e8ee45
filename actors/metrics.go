package actors

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// metrics are what a node counts. Labels are bounded: queues and kinds are those configured and registered, all else is a fixed set of words.
type metrics struct {
	submitted, retries, attempts, ended *prometheus.CounterVec
	deadAdded, redriven, requeued       *prometheus.CounterVec
	restarts, writeErrors               *prometheus.CounterVec
	bus, busGaps, inboxMessages         *prometheus.CounterVec
	queueWaits, runs, totals            *prometheus.HistogramVec
	writes                              *prometheus.HistogramVec
	sseSnapshot                         *prometheus.HistogramVec
	running, limit, paused              *prometheus.GaugeVec
	inboxDepth, inboxLeased, delayed    *prometheus.GaugeVec
	oldest, inboxOldest, dead, lastPop  *prometheus.GaugeVec
	collectorUp, collectorTook          *prometheus.GaugeVec
	jobs, actorStates, deadOldest       *prometheus.GaugeVec
	actorMessages                       *prometheus.HistogramVec
	actorMailbox                        prometheus.Histogram
	actorStalled                        prometheus.Gauge
	actors, pending, lag                prometheus.Gauge
	batchSize                           prometheus.Histogram
	refused, coalesced, unsavedDropped  prometheus.Counter
	abandoned, backstop                 prometheus.Counter
	sseCoalesced                        prometheus.Counter
	lines                               *lineMetrics
	busTransit                          prometheus.Histogram
	ssePendingAge                       prometheus.Gauge
	fallen, returned                    prometheus.Counter
	adopted, cutOff                     *prometheus.CounterVec
	adoption                            prometheus.Histogram

	outcomes sync.Map // outcomeKey -> *outcomeMetrics: what would be looked up for each job, by its labels
}

// outcomeKey is bounded by the queues, the kinds and the outcomes there are.
type outcomeKey struct {
	queue, kind, outcome string
	life                 bool
}

type outcomeMetrics struct {
	attempts, ended prometheus.Counter
	runs, totals    prometheus.Observer
}

// outcome finds the metrics of an outcome of attempts, or of lives.
func (m *metrics) outcome(j *job.Job, outcome string, life bool) *outcomeMetrics {
	key := outcomeKey{j.Queue, j.Kind, outcome, life}
	if found, ok := m.outcomes.Load(key); ok {
		return found.(*outcomeMetrics)
	}
	made := &outcomeMetrics{}
	if life {
		made.ended, made.totals = m.ended.WithLabelValues(j.Queue, j.Kind, outcome), m.totals.WithLabelValues(j.Queue, outcome)
	} else {
		made.attempts, made.runs = m.attempts.WithLabelValues(j.Queue, j.Kind, outcome), m.runs.WithLabelValues(j.Queue, outcome)
	}
	found, _ := m.outcomes.LoadOrStore(key, made)
	return found.(*outcomeMetrics)
}

// Buckets in seconds.
var (
	waitBuckets    = []float64{.001, .005, .01, .05, .1, .5, 1, 2, 5, 10, 30, 60, 300, 1800}
	runBuckets     = []float64{.01, .1, 1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600}
	messageBuckets = []float64{.000001, .00001, .0001, .001, .01, .1, 1}
	commitBuckets  = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 15}
)

var adoptionBuckets = []float64{.01, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300}

// mailboxBuckets are in messages.
var mailboxBuckets = []float64{0, 1, 10, 100, 1000, 10_000, 100_000}

func newMetrics(registry prometheus.Registerer) (*metrics, error) {
	f := factory{registry: registry}
	m := &metrics{
		submitted:     f.counters("jobs_submitted_total", "Jobs accepted by this node.", "queue", "kind"),
		ended:         f.counters("jobs_finished_total", "Lives of jobs that ended on this node.", "queue", "kind", "outcome"),
		attempts:      f.counters("job_attempts_total", "Attempts that ended on this node.", "queue", "kind", "outcome"),
		retries:       f.counters("job_retries_total", "Further attempts that were decided on.", "queue", "reason"),
		queueWaits:    f.histograms("job_queue_wait_seconds", "From when a job was due to when its handler began.", waitBuckets, "queue"),
		runs:          f.histograms("job_run_seconds", "How long an attempt ran.", runBuckets, "queue", "outcome"),
		totals:        f.histograms("job_total_seconds", "From submission to the end of the life.", runBuckets, "queue", "outcome"),
		deadAdded:     f.counters("dead_letter_added_total", "Jobs that became dead letters.", "queue"),
		redriven:      f.counters("dead_letter_redriven_total", "Jobs that were given a new life.", "queue"),
		dead:          f.gauges("dead_letter_jobs", "Dead letters that the inbox lists.", "queue"),
		requeued:      f.counters("reconciler_requeued_total", "Jobs that were missing in the inbox and were put back.", "queue"),
		restarts:      f.counters("actor_restarts_total", "Job actors that ended other than by their job's course.", "reason"),
		running:       f.gauges("queue_running", "Handlers that run, or are about to.", "queue"),
		limit:         f.gauges("queue_concurrency_limit", "Handlers that may run at once on this node.", "queue"),
		paused:        f.gauges("queue_paused", "1 if the queue is paused.", "queue"),
		oldest:        f.gauges("queue_oldest_waiting_age_seconds", "Age of the job that is next in the queue; 0 if none waits.", "queue"),
		inboxOldest:   f.gauges("inbox_oldest_age_seconds", "Age of the job that waits longest; 0 if none waits.", "inbox"),
		inboxDepth:    f.gauges("inbox_depth", "Jobs that wait to be claimed.", "inbox"),
		inboxLeased:   f.gauges("inbox_processing_depth", "Jobs that are leased, to any node.", "inbox"),
		delayed:       f.gauges("inbox_delayed_depth", "Jobs that wait for their due time.", "inbox"),
		lastPop:       f.gauges("inbox_last_pop_timestamp_seconds", "When this node last claimed a job.", "inbox"),
		inboxMessages: f.counters("inbox_messages_total", "Jobs that passed through the inbox.", "inbox", "result"),
		collectorUp:   f.gauges("collector_up", "1 if the gauges of this collector could be read.", "collector"),
		collectorTook: f.gauges("collector_duration_seconds", "How long the last reading took.", "collector"),
		writes:        f.histograms("write_through_seconds", "How long a batch took to commit.", commitBuckets, "op", "result"),
		writeErrors:   f.counters("write_through_errors_total", "Writes that failed.", "reason"),
		sseSnapshot:   f.histograms("sse_snapshot_seconds", "How long a stream's snapshot took to read.", commitBuckets, "source"),
		bus:           f.counters("bus_messages_total", "States published to other nodes, and heard from them.", "direction", "result"),
		busGaps:       f.counters("bus_gaps_total", "Times that states from other nodes may have been missed.", "cause"),
	}
	m.actors = prometheus.NewGauge(prometheus.GaugeOpts{Name: "actors"}) // read for the states, not shown itself
	m.actorStates = f.gauges("actors", "Job actors that live: whose handlers run, and whose outcomes are being recorded.", "state")
	m.actorStalled = f.gauge("actor_stalled", "Top-level actors that have not taken a turn for three seconds.")
	m.actorMailbox = f.histogram("actor_mailbox_messages", "Messages waiting in the mailbox of a top-level actor, looked at each second.", mailboxBuckets)
	m.actorMessages = f.histograms("actor_message_seconds", "How long a top-level actor took over a message; one in 64 is timed.", messageBuckets, "actor")
	m.jobs = f.gauges("jobs", "Jobs that the inbox holds or lists; delayed ones are scheduled or between attempts.", "queue", "status")
	m.deadOldest = f.gauges("dead_letter_oldest_age_seconds", "Since the oldest dead letter that the inbox lists became one; 0 if there is none.", "queue")
	m.pending = f.gauge("write_through_pending", "Jobs that wait to be committed.")
	m.batchSize = f.histogram("write_through_batch_jobs", "Jobs in one commit.", []float64{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000})
	m.refused = f.counter("write_through_refused_total", "Writes that the fence refused: the job was another claim's.")
	m.coalesced = f.counter("write_through_coalesced_total", "States that a newer one replaced before they were committed.")
	m.unsavedDropped = f.counter("write_through_unsaved_dropped_total", "First rows left to be written when their jobs are claimed, because too many waited.")
	m.abandoned = f.counter("job_abandoned_handlers_total", "Handlers that ignored the end of their context.")
	m.lag = f.gauge("write_through_lag_seconds", "Age of the oldest change that is not committed yet; 0 if there is none.")
	m.backstop = f.counter("backstop_delivered_total", "States that streams got only because the store was read for what they may have missed.")
	m.sseCoalesced = f.counter("sse_events_coalesced_total", "States that a newer one replaced before a stream took them.")
	m.busTransit = f.histogram("bus_transit_seconds", "From a state's sending by another node, by its clock, to this node's hearing it.", []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5})
	m.ssePendingAge = f.gauge("sse_pending_oldest_age_seconds", "How long the oldest state has waited for a stream to take it; the largest of all streams, each second.")
	m.fallen = f.counter("node_fallen_total", "Dead nodes whose jobs this node had adopted.")
	m.returned = f.counter("node_returned_total", "Times that this node was away and came back.")
	m.cutOff = f.counters("node_cut_off_total", "Times that this node handed back what ran, because it was cut off from the store, or from all.", "from")
	m.adopted = f.counters("adopted_total", "Jobs of dead nodes that were put back to the front of their queues.", "queue")
	m.adoption = f.histogram("adoption_seconds", "From when a node was declared dead to when all its jobs waited again.", adoptionBuckets)
	m.lines = newLineMetrics(&f)
	return m, f.err
}

// factory registers what it makes and keeps the first error.
type factory struct {
	registry prometheus.Registerer
	err      error
}

func (f *factory) register(c prometheus.Collector) {
	if err := f.registry.Register(c); err != nil && f.err == nil {
		f.err = err
	}
}

func (f *factory) counters(name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "troupe", Name: name, Help: help}, labels)
	f.register(c)
	return c
}

func (f *factory) counter(name, help string) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts{Namespace: "troupe", Name: name, Help: help})
	f.register(c)
	return c
}

func (f *factory) gauges(name, help string, labels ...string) *prometheus.GaugeVec {
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "troupe", Name: name, Help: help}, labels)
	f.register(g)
	return g
}

func (f *factory) gauge(name, help string) prometheus.Gauge {
	g := prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "troupe", Name: name, Help: help})
	f.register(g)
	return g
}

func histogramOpts(name, help string, buckets []float64) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{
		Namespace: "troupe", Name: name, Help: help, Buckets: buckets,
		NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 160, NativeHistogramMinResetDuration: time.Hour,
	}
}

func (f *factory) histograms(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	h := prometheus.NewHistogramVec(histogramOpts(name, help, buckets), labels)
	f.register(h)
	return h
}

func (f *factory) histogram(name, help string, buckets []float64) prometheus.Histogram {
	h := prometheus.NewHistogram(histogramOpts(name, help, buckets))
	f.register(h)
	return h
}

func (m *metrics) queueWait(queue string, wait time.Duration) {
	m.queueWaits.WithLabelValues(queue).Observe(max(wait, 0).Seconds())
}

func (m *metrics) claimed(queue string, n int) {
	m.inboxMessages.WithLabelValues(queue, "claimed").Add(float64(n))
	m.lastPop.WithLabelValues(queue).SetToCurrentTime()
}

// adoptedJobs counts; queues that this node does not serve share a name.
func (m *metrics) adoptedJobs(queue string, n int, ours bool) {
	if !ours {
		queue = "other"
	}
	m.adopted.WithLabelValues(queue).Add(float64(n))
	m.retries.WithLabelValues(queue, "lost").Add(float64(n))
}

func (m *metrics) parkedJob(queue string) { m.inboxMessages.WithLabelValues(queue, "parked").Inc() }

func (m *metrics) reaped(queue string, n int) {
	m.inboxMessages.WithLabelValues(queue, "requeued").Add(float64(n))
	m.retries.WithLabelValues(queue, "lost").Add(float64(n))
}

func (m *metrics) attemptLost(j *job.Job, n int) {
	m.attempts.WithLabelValues(j.Queue, j.Kind, "lost").Add(float64(n))
}

// left counts an attempt whose job its actor leaves in this state.
func (m *metrics) left(j *job.Job) {
	outcome := "ok"
	switch j.Status {
	case job.Retrying, job.Failed:
		outcome = "error"
		if j.Failure != nil {
			switch j.Failure.Code {
			case job.CodePanic, job.CodeTimeout:
				outcome = j.Failure.Code
			case job.CodeCrashes:
				outcome = "lost"
			}
		}
	case job.Cancelled:
		outcome = "cancelled"
	case job.Scheduled, job.Queued:
		outcome = "handed_back"
	}
	counted := m.outcome(j, outcome, false)
	counted.attempts.Inc()
	if !j.Started.IsZero() {
		counted.runs.Observe(j.Updated.Sub(j.Started).Seconds())
	}
	if j.Status == job.Retrying {
		m.retries.WithLabelValues(j.Queue, "error").Inc()
	}
	if j.Status.Terminal() {
		m.finished(j)
	}
}

func (m *metrics) finished(j *job.Job) {
	counted := m.outcome(j, j.Status.String(), true)
	counted.ended.Inc()
	counted.totals.Observe(j.Finished.Sub(j.Created).Seconds())
	if j.Status == job.Failed {
		m.deadAdded.WithLabelValues(j.Queue).Inc()
	}
}

func (m *metrics) limits(queue string, limit int, paused bool) {
	m.limit.WithLabelValues(queue).Set(float64(limit))
	value := 0.0
	if paused {
		value = 1
	}
	m.paused.WithLabelValues(queue).Set(value)
}

func (m *metrics) wrote(f *flown) {
	result := "ok"
	if f.err != nil {
		result = "error"
		m.writeErrors.WithLabelValues("conn").Inc()
	} else {
		m.batchSize.Observe(float64(len(f.batch)))
	}
	m.writes.WithLabelValues("transition", result).Observe(f.took.Seconds())
}

func (m *metrics) depth(queue string, d persistence.Depth, took time.Duration, err error) {
	if err != nil {
		m.collectorUp.WithLabelValues("inbox").Set(0)
		return
	}
	m.collectorUp.WithLabelValues("inbox").Set(1)
	m.collectorTook.WithLabelValues("inbox").Set(took.Seconds())
	m.inboxDepth.WithLabelValues(queue).Set(float64(d.Waiting))
	m.inboxLeased.WithLabelValues(queue).Set(float64(d.Leased))
	m.delayed.WithLabelValues(queue).Set(float64(d.Delayed))
	m.dead.WithLabelValues(queue).Set(float64(d.Dead))
	for status, n := range map[string]int64{"queued": d.Waiting, "processing": d.Leased, "delayed": d.Delayed, "failed": d.Dead} {
		m.jobs.WithLabelValues(queue, status).Set(float64(n))
	}
	m.deadOldest.WithLabelValues(queue).Set(age(d.OldestDead))
	m.oldest.WithLabelValues(queue).Set(age(d.Oldest))
	m.inboxOldest.WithLabelValues(queue).Set(age(d.Oldest))
}

// age is the seconds since a time; 0 if it is unset.
func age(since time.Time) float64 {
	if since.IsZero() {
		return 0
	}
	return max(time.Since(since).Seconds(), 0)
}
