package httpapi

import (
	"context"
	"crypto/rand"
	"errors"
	mrand "math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/persistence"
)

// gapData says that lines from one seq to another were removed before they could be sent.
type gapData struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

// lineStream is one open stream of a job's log or output. It shares the writer of the streams of states; its ids are the
// seqs of its lines.
type lineStream struct {
	stream
	channel   persistence.Channel
	following actors.LineFollowing
	last      int64 // seq
}

// streamLines follows a channel to the end of its job.
func (h *Handler) streamLines(w http.ResponseWriter, r *http.Request, q persistence.LineQuery) error {
	x := exchangeOf(r)
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil)
	seat, err := h.streams.enter(visitorOf(x, protoLabel(r)), "s_"+rand.Text()[:12], cancel)
	if err != nil {
		return err
	}
	defer h.streams.leave(seat)
	following, err := h.node.FollowLines(ctx, q)
	if err != nil {
		if errors.Is(err, actors.ErrClosed) {
			h.metrics.rejected.WithLabelValues("draining").Inc()
		}
		return h.badStream(err)
	}
	defer following.Close()
	s := &lineStream{
		stream:  stream{h: h, w: w, control: http.NewResponseController(w), seat: seat, opened: time.Now()},
		channel: q.Channel, following: following, last: q.After,
	}
	topics := []actors.Topic{{Kind: actors.TopicJob, Value: q.Job.String()}}
	seat.show(topics, q.Channel.String(), func() actors.Backlog { return actors.Backlog{} })
	x.streaming = true
	gauge := h.metrics.connections.WithLabelValues(protoLabel(r), scopeOf(topics))
	gauge.Inc()
	defer gauge.Dec()
	h.metrics.opened.WithLabelValues(q.Channel.String()).Inc()
	x.end = s.serve(ctx, cancel)
	seat.reason = x.end
	h.metrics.closed.WithLabelValues(x.end).Inc()
	return nil
}

// serve writes the stream and says why it ended: a label.
func (s *lineStream) serve(ctx context.Context, end context.CancelCauseFunc) string {
	limits := s.h.cfg.Streams
	maxAge := limits.MaxAge - time.Duration(mrand.Int64N(int64(limits.MaxAge/10)+1))
	aging := time.AfterFunc(maxAge, func() { end(errMaxAge) })
	defer aging.Stop()
	_ = s.control.SetReadDeadline(time.Time{}) // the server's would end the stream

	if err := s.open(maxAge); err != nil {
		return closedBy(err)
	}
	for {
		batch, err := s.next(ctx, limits.Heartbeat)
		switch {
		case err == nil:
			if err := s.show(batch); err != nil {
				return closedBy(err)
			}
			if batch.End != "" {
				return endLabel(batch.End)
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

func (s *lineStream) next(ctx context.Context, patience time.Duration) (actors.LineBatch, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return s.following.Next(ctx)
}

// id is the last line's; none before the first, which a browser takes for "from where the address says".
func (s *lineStream) id() string {
	if s.last == 0 {
		return ""
	}
	return strconv.FormatInt(s.last, 10)
}

// open sends the headers and the first frame.
func (s *lineStream) open(maxAge time.Duration) error {
	s.begin()
	s.scratch = appendFrame(s.scratch, s.id(), eventHello, encode(hello{
		Proto: 1, Stream: s.seat.id, Node: s.h.cfg.Name, Mode: s.channel.String(),
		Beat: s.h.cfg.Streams.Heartbeat.Milliseconds(), MaxAge: maxAge.Milliseconds(), Now: timestamp(time.Now()),
	}))
	if err := s.write(eventHello); err != nil {
		return err
	}
	return s.flush()
}

// show writes one batch with one flush.
func (s *lineStream) show(batch actors.LineBatch) error {
	began := time.Now()
	if gap := batch.Missed; gap != nil {
		if err := s.frame(eventGap, "", encode(gapData{gap.From, gap.To})); err != nil {
			return err
		}
	}
	for i := range batch.Lines {
		l := &batch.Lines[i]
		s.last = l.Seq
		event, data := eventLog, any(logLineOf(l))
		if s.channel == persistence.Output {
			event, data = eventChunk, chunkOf(l)
		}
		if err := s.frame(event, s.id(), encode(data)); err != nil {
			return err
		}
	}
	if batch.End != "" {
		if err := s.end(batch.End); err != nil {
			return err
		}
	}
	if err := s.flush(); err != nil {
		return err
	}
	s.h.metrics.flushSeconds.Observe(time.Since(began).Seconds())
	return nil
}
