package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
)

// streamTopics is GET /v1/stream?topic=...
func (h *Handler) streamTopics(w http.ResponseWriter, r *http.Request) error {
	params, err := readParams(r)
	if err != nil {
		return h.badStream(err)
	}
	for key := range params {
		if key != "topic" && key != "last_event_id" && key != "ticket" {
			return h.badStream(refuse("invalid", "unknown parameter %.80q; known are topic, last_event_id, ticket", key))
		}
	}
	req, err := h.watchRequest(r, params["topic"], nil, lastEventID(r, params.Get("last_event_id")))
	if err != nil {
		return h.badStream(err)
	}
	return h.stream(w, r, req, false)
}

// streamBody is POST /v1/stream with {topics, known, since}.
func (h *Handler) streamBody(w http.ResponseWriter, r *http.Request) error {
	body, err := readBody(w, r, maxBody)
	if err != nil {
		return h.badStream(err)
	}
	var (
		topics []string
		known  map[job.ID]int64
		since  string
	)
	err = readObject(body, "", fields{
		"topics": func(raw json.RawMessage) error { return json.Unmarshal(raw, &topics) },
		"known":  func(raw json.RawMessage) error { return json.Unmarshal(raw, &known) },
		"since":  text(&since, 128),
	})
	if err != nil {
		return h.badStream(err)
	}
	req, err := h.watchRequest(r, topics, known, lastEventID(r, since))
	if err != nil {
		return h.badStream(err)
	}
	return h.stream(w, r, req, false)
}

// streamJob is GET /v1/jobs/{id}/stream. A client that has seen the job's end gets 204, which ends an EventSource for good.
func (h *Handler) streamJob(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return h.badStream(err)
	}
	params, err := readParams(r)
	if err != nil {
		return h.badStream(err)
	}
	at := lastEventID(r, params.Get("last_event_id"))
	var known map[job.ID]int64
	if value := params.Get("known"); value != "" {
		rev, err := strconv.ParseInt(value, 10, 64)
		if err != nil || rev < 0 {
			return h.badStream(refuse("invalid", "known: want the version of the job that you have"))
		}
		at.rev = max(at.rev, rev)
	}
	j, err := h.node.Get(r.Context(), id)
	if err != nil {
		return h.badStream(err)
	}
	if at.rev > 0 {
		known = map[job.ID]int64{id: at.rev}
		if j.Status.Terminal() && at.rev >= j.Rev {
			w.WriteHeader(http.StatusNoContent)
			return nil
		}
	}
	req := actors.WatchRequest{Topics: []actors.Topic{{Kind: actors.TopicJob, Value: id.String()}}, Known: known}
	if !j.Status.Terminal() { // the end itself must be sent, whoever numbered it
		resumeAt(&req, at)
	}
	return h.stream(w, r, req, true)
}

// badStream counts a stream that was not opened for a fault of the request.
func (h *Handler) badStream(err error) error {
	if problemOf(err).Status < 500 {
		h.metrics.rejected.WithLabelValues("bad_request").Inc()
	}
	return err
}

// lastEventID is what the client saw last: the browser's header, or what a client that can't set headers says.
func lastEventID(r *http.Request, said string) cursor {
	if header := r.Header.Get("Last-Event-ID"); header != "" {
		said = header
	}
	return parseCursor(said)
}

// watchRequest makes the node's request of a client's, within its rights.
func (h *Handler) watchRequest(r *http.Request, said []string, known map[job.ID]int64, at cursor) (actors.WatchRequest, error) {
	if len(said) == 0 {
		said = []string{"owner:me"}
	}
	x := exchangeOf(r)
	topics, err := readTopicList(said, x)
	if err != nil {
		return actors.WatchRequest{}, err
	}
	if len(known) > actors.MaxWatchedJobs {
		return actors.WatchRequest{}, refuse("too_large", "known: %d jobs, at most %d", len(known), actors.MaxWatchedJobs)
	}
	req := actors.WatchRequest{Topics: topics, Known: known}
	if x.grant != nil {
		ctx, cancel := context.WithTimeout(r.Context(), apiTimeout)
		defer cancel()
		if err := h.confine(ctx, &req, x.grant); err != nil {
			return actors.WatchRequest{}, err
		}
	}
	// A stream of nothing but single jobs ends with the last of them: it has to be told of those that have ended, too.
	if slices.ContainsFunc(req.Topics, func(t actors.Topic) bool { return t.Kind != actors.TopicJob }) {
		resumeAt(&req, at)
	}
	return req, nil
}

// readTopicList reads topics, each once. "owner:me" is what the caller's stream token is for, or else the principal; where nobody has a name, it
// is everybody.
func readTopicList(said []string, x *exchange) ([]actors.Topic, error) {
	if len(said) > actors.MaxTopics {
		return nil, refuse("too_large", "%d topics, at most %d", len(said), actors.MaxTopics)
	}
	var topics []actors.Topic
	seen := map[actors.Topic]bool{}
	add := func(all ...actors.Topic) {
		for _, t := range all {
			if !seen[t] {
				seen[t] = true
				topics = append(topics, t)
			}
		}
	}
	for _, text := range said {
		switch {
		case text != "owner:me":
			topic, err := actors.ParseTopic(text)
			if err != nil {
				return nil, refuse("invalid", "%s", err)
			}
			add(topic)
		case x.grant != nil:
			add(x.grant.topics...)
		case x.principal != "":
			add(actors.Topic{Kind: actors.TopicOwner, Value: x.principal})
		default:
			add(actors.Topic{Kind: actors.TopicAll})
		}
	}
	return topics, nil
}

// resumeAt asks to go on at the cursor. At 0 nothing was complete yet: the client needs the snapshot.
func resumeAt(req *actors.WatchRequest, at cursor) {
	if at.n > 0 {
		req.Epoch, req.Since = at.epoch, at.n
	}
}
