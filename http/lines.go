package httpapi

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/meta-ad-studio/troupe/persistence"
)

// logLine is a line of a log.
type logLine struct {
	Seq     int64     `json:"seq"`
	At      time.Time `json:"at"`
	Level   string    `json:"level"`
	Attempt int       `json:"attempt"`
	Text    string    `json:"text"`
}

// chunk is a piece of an output.
type chunk struct {
	Seq     int64     `json:"seq"`
	At      time.Time `json:"at"`
	Attempt int       `json:"attempt"`
	Data    string    `json:"data"`
}

// linePage is a page of a log or of an output. Next is what to ask for after it; null if there is nothing yet. DroppedBefore is the oldest
// line that is kept, if there were older ones.
type linePage struct {
	Lines         []logLine `json:"lines,omitzero"`
	Chunks        []chunk   `json:"chunks,omitzero"`
	Next          *int64    `json:"next"`
	DroppedBefore *int64    `json:"dropped_before"`
}

func logLineOf(l *persistence.Line) logLine {
	return logLine{l.Seq, l.At, l.Level.String(), l.Attempt, l.Text}
}

func chunkOf(l *persistence.Line) chunk { return chunk{l.Seq, l.At, l.Attempt, l.Text} }

func linePageOf(channel persistence.Channel, p *persistence.LinePage) linePage {
	var page linePage
	if channel == persistence.Log {
		page.Lines = make([]logLine, len(p.Lines))
		for i := range p.Lines {
			page.Lines[i] = logLineOf(&p.Lines[i])
		}
	} else {
		page.Chunks = make([]chunk, len(p.Lines))
		for i := range p.Lines {
			page.Chunks[i] = chunkOf(&p.Lines[i])
		}
	}
	if p.More {
		page.Next = &p.Lines[len(p.Lines)-1].Seq
	}
	if p.Bounds.Dropped > 0 {
		page.DroppedBefore = &p.Bounds.First
	}
	return page
}

// showLog is GET /v1/jobs/{id}/logs.
func (h *Handler) showLog(w http.ResponseWriter, r *http.Request) error {
	return h.showLines(w, r, persistence.Log)
}

// showOutput is GET /v1/jobs/{id}/output.
func (h *Handler) showOutput(w http.ResponseWriter, r *http.Request) error {
	return h.showLines(w, r, persistence.Output)
}

// showLines answers a page, or with ?follow=1 a stream. A client that has seen the last line of a job that has ended gets
// 204, which ends an EventSource for good.
func (h *Handler) showLines(w http.ResponseWriter, r *http.Request, channel persistence.Channel) error {
	q, follow, err := readLineQuery(r, channel)
	if err != nil {
		return h.badStream(err)
	}
	// The route has no deadline of its own, for the sake of streams.
	ctx, cancel := context.WithTimeout(r.Context(), apiTimeout)
	defer cancel()
	j, err := h.node.Get(ctx, q.Job)
	if err != nil {
		return h.badStream(err)
	}
	if follow && (!j.Status.Terminal() || q.After == 0) {
		cancel()
		return h.streamLines(w, r, q)
	}
	page, err := h.node.Lines(ctx, q)
	if err != nil {
		return err
	}
	if !follow {
		return answer(w, http.StatusOK, linePageOf(channel, &page))
	}
	if len(page.Lines) == 0 {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	cancel()
	return h.streamLines(w, r, q)
}

// readLineQuery reads where to begin: after the last event that was seen, if there is one, else after a seq, else at the
// tail, else at the beginning.
func readLineQuery(r *http.Request, channel persistence.Channel) (q persistence.LineQuery, follow bool, err error) {
	id, err := pathID(r)
	if err != nil {
		return q, false, err
	}
	params, err := readParams(r)
	if err != nil {
		return q, false, err
	}
	q = persistence.LineQuery{Job: id, Channel: channel}
	seen := r.Header.Get("Last-Event-ID")
	for key := range params {
		value := params.Get(key)
		switch key {
		case "after":
			q.After, err = readSeq(key, value)
		case "limit":
			q.Limit, err = readCount(params, key)
		case "tail":
			q.Tail, err = readCount(params, key)
		case "follow":
			if follow, err = strconv.ParseBool(value); err != nil {
				err = refuse("invalid", "follow: want 1 or 0")
			}
		case "last_event_id":
			if seen == "" {
				seen = value
			}
		case "ticket":
		default:
			err = refuse("invalid", "unknown parameter %.80q; known are after, limit, tail, follow, last_event_id, ticket", key)
		}
		if err != nil {
			return q, false, err
		}
	}
	if after, bad := strconv.ParseInt(seen, 10, 64); bad == nil && after > 0 { // what can't be read is no cursor
		q.After, q.Tail = after, 0
	}
	return q, follow, nil
}

func readSeq(key, value string) (int64, error) {
	seq, err := strconv.ParseInt(value, 10, 64)
	if err != nil || seq < 0 {
		return 0, refuse("invalid", "%s: want the seq of a line", key)
	}
	return seq, nil
}

func readCount(params url.Values, key string) (int, error) {
	n, err := strconv.Atoi(params.Get(key))
	if err != nil || n < 1 || n > persistence.MaxLinesPage {
		return 0, refuse("invalid", "%s: want 1 to %d", key, persistence.MaxLinesPage)
	}
	return n, nil
}
