package httpapi

import (
	"context"
	"errors"
	mrand "math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/meta-ad-studio/troupe/actors"
)

// stream is one open connection. Only its handler's goroutine touches it.
type stream struct {
	h        *Handler
	w        http.ResponseWriter
	control  *http.ResponseController
	watching actors.Watching

	seat    *seat
	single  bool // of one job: ids carry its rev
	ready   bool
	at      cursor // the last promise
	opened  time.Time
	armed   time.Time
	scratch []byte
}

// serve writes the stream and says why it ended: a label. What next answers writes what there is, and says the same once it was the last.
func (s *stream) serve(
	ctx context.Context, end context.CancelCauseFunc,
	open func(maxAge time.Duration) error, next func(context.Context) (show func() (ended string, err error), err error),
) string {
	limits := s.h.cfg.Streams
	maxAge := limits.MaxAge - time.Duration(mrand.Int64N(int64(limits.MaxAge/10)+1))
	aging := time.AfterFunc(maxAge, func() { end(errMaxAge) })
	defer aging.Stop()
	_ = s.control.SetReadDeadline(time.Time{}) // the server's would end the stream

	if err := open(maxAge); err != nil {
		return closedBy(err)
	}
	for checked := time.Now(); ; {
		if at := s.seat; at.session != "" && time.Since(checked) >= limits.Recheck {
			if checked = time.Now(); s.h.ended(ctx, at.session) {
				end(errRevoked)
			}
		}
		patience, cancel := context.WithTimeout(ctx, limits.Heartbeat) // for as long as a stream may be silent
		show, err := next(patience)
		cancel()
		switch {
		case err == nil:
			if ended, err := show(); err != nil {
				return closedBy(err)
			} else if ended != "" {
				return ended
			}
		case ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded):
			if err := s.beat(); err != nil {
				return closedBy(err)
			}
		default:
			return s.close(context.Cause(ctx), err)
		}
	}
}

func (s *stream) next(ctx context.Context) (show func() (string, error), err error) {
	batch, err := s.watching.Next(ctx)
	return func() (string, error) { return s.show(batch) }, err
}

// begin sends the headers, and begins the first frame.
func (s *stream) begin() {
	header := s.w.Header()
	header.Set("Content-Type", "text/event-stream; charset=utf-8")
	header.Set("Cache-Control", "no-store, no-transform")
	header.Set("X-Accel-Buffering", "no")
	s.w.WriteHeader(http.StatusOK)
	s.scratch = appendRetry(s.scratch[:0], jitter(time.Second, 3*time.Second))
}

// open sends the headers and the first frame.
func (s *stream) open(maxAge time.Duration) error {
	s.begin()
	s.scratch = appendFrame(s.scratch, s.at.String(), eventHello, encode(hello{
		Proto: 1, Stream: s.seat.id, Node: s.h.cfg.Name, Epoch: s.at.epoch, Mode: s.watching.Mode(),
		Beat: s.h.cfg.Streams.Heartbeat.Milliseconds(), MaxAge: maxAge.Milliseconds(), Now: timestamp(time.Now()),
	}))
	if err := s.write(eventHello); err != nil {
		return err
	}
	return s.flush()
}

// show writes one batch with one flush. It says why the stream is over, if it is.
func (s *stream) show(batch actors.Batch) (ended string, err error) {
	began, live := time.Now(), s.ready
	for _, u := range batch.Updates {
		if s.ready { // before, only ready itself may promise anything
			s.at.n = max(s.at.n, u.Seq)
		}
		if s.single {
			s.at.rev = u.View.Version
		}
		if err := s.frame(eventJob, s.at.String(), u.Frame); err != nil {
			return "", err
		}
	}
	for _, gone := range batch.Removed {
		if err := s.frame(eventRemoved, s.at.String(), encode(removedData{gone.ID.String(), gone.Rev, gone.Reason})); err != nil {
			return "", err
		}
	}
	if err := s.extras(batch); err != nil {
		return "", err
	}
	if batch.Fault != "" {
		data := faultData{Code: batch.Fault, Message: faultMessage(batch.Fault), Retry: jitter(time.Second, 3*time.Second).Milliseconds()}
		if err := s.frame(eventFault, "", encode(data)); err != nil {
			return "", err
		}
	}
	if batch.Ready && !s.ready {
		s.ready = true
		s.at.n = max(s.at.n, batch.Cursor)
		if err := s.frame(eventReady, s.at.String(), encode(readyData{batch.Jobs, s.at.String()})); err != nil {
			return "", err
		}
		s.h.metrics.readyAfter.WithLabelValues(s.watching.Mode()).Observe(time.Since(s.opened).Seconds())
	}
	if batch.End != "" {
		if err := s.end(batch.End); err != nil {
			return "", err
		}
	}
	if err := s.flush(); err != nil {
		return "", err
	}
	s.measure(began, live, batch.Updates)
	return endLabel(batch.End), nil
}

// extras are the events that are of this moment only, and have no id.
func (s *stream) extras(batch actors.Batch) error {
	for _, place := range batch.Places {
		if err := s.frame(eventPlace, "", place); err != nil {
			return err
		}
	}
	if batch.Stats == nil {
		return nil
	}
	return s.frame(eventStats, "", batch.Stats)
}

func (s *stream) measure(began time.Time, live bool, updates []*actors.Update) {
	now := time.Now()
	s.h.metrics.flushSeconds.Observe(now.Sub(began).Seconds())
	if !live {
		return
	}
	for _, u := range updates {
		class := "transition"
		if u.View.Status.Running() { // most of what a running job says is progress
			class = "progress"
		}
		s.h.metrics.deliveryLag.WithLabelValues(class).Observe(now.Sub(u.At).Seconds())
	}
}

func (s *stream) beat() error {
	if err := s.frame(eventBeat, "", encode(map[string]string{"now": timestamp(time.Now())})); err != nil {
		return err
	}
	return s.flush()
}

// close ends a stream whose context has ended, with a last word if anybody may still hear it.
func (s *stream) close(cause, err error) string {
	var reason string
	switch {
	case errors.Is(cause, errDrain), cause == nil && errors.Is(err, actors.ErrClosed):
		reason = "drain"
	case errors.Is(cause, errMaxAge):
		reason = "max_age"
	case errors.Is(cause, errOutOfTime):
		reason = "expired"
	case errors.Is(cause, errRevoked):
		reason = "revoked"
	case cause != nil:
		return "client"
	default:
		s.h.log.Warn("a stream broke off", "error", err)
		return "error"
	}
	if err := s.end(reason); err != nil {
		return closedBy(err)
	}
	if err := s.flush(); err != nil {
		return closedBy(err)
	}
	return reason
}

// end writes the last frame, and when to come back.
func (s *stream) end(reason string) error {
	data := endData{Reason: reason, Resume: true}
	var wait time.Duration
	switch reason {
	case "done", "revoked":
		data.Resume = false
	case "max_age", "expired":
		wait = jitter(0, 500*time.Millisecond)
	default:
		wait = jitter(time.Second, 5*time.Second)
	}
	data.Retry = wait.Milliseconds()
	s.scratch = s.scratch[:0]
	if data.Resume {
		s.scratch = appendRetry(s.scratch, wait)
	}
	s.scratch = appendFrame(s.scratch, "", eventEnd, encode(data))
	return s.write(eventEnd)
}

func (s *stream) frame(event, id string, data []byte) error {
	s.scratch = appendFrame(s.scratch[:0], id, event, data)
	return s.write(event)
}

// write sends the scratch, which is one frame, in one Write under a deadline.
func (s *stream) write(event string) error {
	if now := time.Now(); now.Sub(s.armed) > s.h.cfg.Streams.WriteTimeout/5 {
		s.armed = now
		if err := s.control.SetWriteDeadline(now.Add(s.h.cfg.Streams.WriteTimeout)); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return err
		}
	}
	n, err := s.w.Write(s.scratch)
	s.h.metrics.sentBytes.Add(float64(n))
	if err == nil {
		s.h.metrics.events.WithLabelValues(event).Inc()
		s.seat.sent.Add(1)
	}
	return err
}

// flush pushes what was written to the client, and puts the deadline away: it has no business between two writes.
func (s *stream) flush() error {
	if err := s.control.Flush(); err != nil {
		return err
	}
	s.armed = time.Time{}
	if err := s.control.SetWriteDeadline(time.Time{}); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}

func closedBy(err error) string {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return "write_timeout"
	}
	return "client"
}

// endLabel bounds the reasons as labels.
func endLabel(reason string) string {
	switch reason {
	case "", "done", "drain", "slow", "max_age", "expired", "revoked":
		return reason
	}
	return "error"
}

func faultMessage(code string) string {
	if code == "db_unavailable" {
		return "The database can't be read now. What you see is the last known state; jobs keep running."
	}
	return "The stream is incomplete for the moment."
}

func protoLabel(r *http.Request) string { return "h" + strconv.Itoa(r.ProtoMajor) }

func scopeOf(topics []actors.Topic) string {
	scope := "job"
	for _, t := range topics {
		switch t.Kind {
		case actors.TopicAll, actors.TopicQueue, actors.TopicStats:
			return "ops"
		case actors.TopicOwner, actors.TopicBatch:
			scope = "owner"
		}
	}
	return scope
}

func jitter(low, high time.Duration) time.Duration {
	return low + time.Duration(mrand.Int64N(int64(high-low)+1))
}
