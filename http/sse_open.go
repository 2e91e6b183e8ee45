package httpapi

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/meta-ad-studio/troupe/actors"
)

// source is what a stream shows.
type source struct {
	mode    string // a label
	backlog func() actors.Backlog
	serve   func(ctx context.Context, end context.CancelCauseFunc) (reason string)
	close   func()
}

// stream opens a watch. Single is a stream of one job.
func (h *Handler) stream(w http.ResponseWriter, r *http.Request, req actors.WatchRequest, single bool) error {
	return h.seated(r, req.Topics, func(ctx context.Context, at *seat) (source, error) {
		watching, err := h.node.Watch(ctx, req)
		if err != nil {
			return source{}, err
		}
		s := &stream{
			h: h, w: w, control: http.NewResponseController(w), watching: watching, seat: at, single: single,
			at: cursor{epoch: watching.Epoch()}, opened: time.Now(),
		}
		if watching.Mode() == "resume" {
			s.at.n = req.Since
		}
		serve := func(ctx context.Context, end context.CancelCauseFunc) string {
			return s.serve(ctx, end, s.open, s.next)
		}
		return source{watching.Mode(), watching.Backlog, serve, watching.Close}, nil
	})
}

// seated gives a stream a place, opens it, and has it served once the handler has returned: thousands of streams wait most of their time,
// each on the stack that its goroutine has grown, and below the router and all that led here that would be twice as large.
func (h *Handler) seated(r *http.Request, topics []actors.Topic, open func(context.Context, *seat) (source, error)) (err error) {
	x := exchangeOf(r)
	ctx, cancel := context.WithCancelCause(r.Context())
	undo := []func(){func() { cancel(nil) }}
	defer func() {
		if err != nil {
			runAll(undo)
		}
	}()
	if !x.expires.IsZero() {
		var late context.CancelFunc
		ctx, late = context.WithDeadlineCause(ctx, x.expires, errOutOfTime)
		undo = append(undo, late)
	}
	at, err := h.streams.enter(visitorOf(x, protoLabel(r)), "s_"+rand.Text()[:12], cancel)
	if err != nil {
		return err
	}
	undo = append(undo, func() { h.streams.leave(at) })
	of, err := open(ctx, at)
	if err != nil {
		if errors.Is(err, actors.ErrClosed) {
			h.metrics.rejected.WithLabelValues("draining").Inc()
		}
		return h.badStream(err)
	}
	at.show(topics, of.mode, of.backlog)
	x.streaming = true
	gauge := h.metrics.connections.WithLabelValues(protoLabel(r), scopeOf(topics))
	gauge.Inc()
	h.metrics.opened.WithLabelValues(of.mode).Inc()
	undo = append(undo, of.close, gauge.Dec)
	x.then = func() {
		defer runAll(undo)
		x.end = of.serve(ctx, cancel)
		at.reason = x.end
		h.metrics.closed.WithLabelValues(x.end).Inc()
	}
	return nil
}

// runAll calls the functions, the last first.
func runAll(undo []func()) {
	for _, f := range slices.Backward(undo) {
		f()
	}
}
