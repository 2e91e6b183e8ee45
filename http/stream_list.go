package httpapi

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/meta-ad-studio/troupe/actors"
)

// streamList is GET /v1/streams: who watches what at this node, and how the streams keep up.
type streamList struct {
	Node      string           `json:"node"`
	Streams   []streamRow      `json:"streams"`
	Truncated bool             `json:"truncated,omitempty"`
	Closed    map[string]int64 `json:"closed"` // since the start, by reason
}

type streamRow struct {
	ID         string    `json:"id"`
	Principal  string    `json:"principal"`
	Remote     string    `json:"remote"`
	Proto      string    `json:"proto"`
	Topics     []string  `json:"topics"`
	MoreTopics int       `json:"more_topics,omitempty"`
	Opened     time.Time `json:"opened_at"`
	Mode       string    `json:"mode"`
	Sent       int64     `json:"sent"` // frames
	Coalesced  int64     `json:"coalesced"`
	Pending    int       `json:"pending"`
	Lag        int64     `json:"lag_ms"`
}

// listStreams is GET /v1/streams, oldest first. A stream that is not open yet is not shown.
func (h *Handler) listStreams(w http.ResponseWriter, _ *http.Request) error {
	list := streamList{Node: h.cfg.Name, Streams: []streamRow{}}
	seats, closed := h.streams.look()
	list.Closed = closed
	for _, seat := range seats {
		shows := seat.shows.Load()
		if shows == nil {
			continue
		}
		if len(list.Streams) == maxListed {
			list.Truncated = true
			break
		}
		list.Streams = append(list.Streams, seat.row(shows))
	}
	return answer(w, http.StatusOK, list)
}

// look is the seats that are taken now, oldest first, and why others ended.
func (s *streams) look() (seats []*seat, closed map[string]int64) {
	s.mu.Lock()
	seats, closed = slices.Collect(maps.Keys(s.open)), maps.Clone(s.closed)
	s.mu.Unlock()
	slices.SortFunc(seats, func(x, y *seat) int { return cmp.Or(x.opened.Compare(y.opened), cmp.Compare(x.id, y.id)) })
	return seats, closed
}

func (t *seat) row(shows *showing) streamRow {
	row := streamRow{
		ID: t.id, Principal: t.principal, Remote: t.ip, Proto: t.proto, Opened: t.opened.UTC(),
		Topics: shows.topics, MoreTopics: shows.more, Mode: shows.mode, Sent: t.sent.Load(),
	}
	if shows.backlog != nil {
		b := shows.backlog()
		row.Coalesced, row.Pending, row.Lag = b.Coalesced, b.Pending, b.Lag.Milliseconds()
	}
	return row
}

// show says that the stream is open, and what it shows.
func (t *seat) show(topics []actors.Topic, mode string, backlog func() actors.Backlog) {
	shown := topics[:min(len(topics), maxListTopics)]
	names := make([]string, len(shown))
	for i, topic := range shown {
		names[i] = topic.String()
	}
	t.shows.Store(&showing{names, len(topics) - len(shown), mode, backlog})
}
