package httpapi

import (
	"context"
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
	topics := []actors.Topic{{Kind: actors.TopicJob, Value: q.Job.String()}}
	return h.seated(r, topics, func(ctx context.Context, at *seat) (source, error) {
		following, err := h.node.FollowLines(ctx, q)
		if err != nil {
			return source{}, err
		}
		s := &lineStream{
			stream:  stream{h: h, w: w, control: http.NewResponseController(w), seat: at, opened: time.Now()},
			channel: q.Channel, following: following, last: q.After,
		}
		serve := func(ctx context.Context, end context.CancelCauseFunc) string {
			return s.serve(ctx, end, s.open, s.next)
		}
		return source{q.Channel.String(), func() actors.Backlog { return actors.Backlog{} }, serve, following.Close}, nil
	})
}

func (s *lineStream) next(ctx context.Context) (show func() (string, error), err error) {
	batch, err := s.following.Next(ctx)
	return func() (string, error) { return endLabel(batch.End), s.show(batch) }, err
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
