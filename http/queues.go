package httpapi

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/gorilla/mux"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/persistence"
)

// maxConcurrency and maxEverywhere bound what a person may set.
const (
	maxConcurrency = actors.MaxConcurrency
	maxEverywhere  = actors.MaxEverywhere
)

// queueView is a queue with how much it holds.
type queueView struct {
	actors.QueueState
	Updated time.Time `json:"updated_at,omitzero"` // when a person last set it
	Depth   depthView `json:"depth"`
}

type depthView struct {
	Waiting    int64            `json:"waiting"`
	Processing int64            `json:"processing"`
	Delayed    int64            `json:"delayed"`
	Dead       int64            `json:"dead"`
	Parked     map[string]int64 `json:"parked,omitempty"` // of the waiting ones, those that no node may be able to take; by kind
	Oldest     time.Time        `json:"oldest,omitzero"`  // when the job that waits longest was made
}

func queueViewOf(q actors.QueueState) queueView {
	return queueView{q, q.Updated, depthView{q.Depth.Waiting, q.Depth.Leased, q.Depth.Delayed, q.Depth.Dead, q.Depth.Parked, q.Depth.Oldest}}
}

// queues is GET /v1/queues.
func (h *Handler) queues(w http.ResponseWriter, r *http.Request) error {
	states, err := h.node.Queues(r.Context())
	if err != nil {
		return err
	}
	views := make([]queueView, len(states))
	for i, state := range states {
		views[i] = queueViewOf(state)
	}
	return answer(w, http.StatusOK, map[string]any{"queues": views})
}

// patchQueue is PATCH /v1/queues/{queue} with any of {concurrency, cluster_concurrency, paused, reason}.
func (h *Handler) patchQueue(w http.ResponseWriter, r *http.Request) error {
	body, err := readBody(w, r, maxBody)
	if err != nil {
		return err
	}
	var to struct {
		concurrency int
		everywhere  int
		paused      bool
		reason      string
	}
	to.concurrency, to.everywhere = -1, -1
	known := fields{"concurrency": number(&to.concurrency), "cluster_concurrency": number(&to.everywhere), "paused": flag(&to.paused), "reason": text(&to.reason, maxReason)}
	set := map[string]bool{}
	for field, read := range known {
		known[field] = func(raw json.RawMessage) error {
			set[field] = true
			return read(raw)
		}
	}
	if err := readObject(body, "", known); err != nil {
		return err
	}
	if set["concurrency"] && (to.concurrency < 0 || to.concurrency > maxConcurrency) {
		return refuse("invalid", "concurrency: want 0 (the node's own setting) to %d", maxConcurrency)
	}
	if set["cluster_concurrency"] && (to.everywhere < 0 || to.everywhere > maxEverywhere) {
		return refuse("invalid", "cluster_concurrency: want 0 (no bound) to %d", maxEverywhere)
	}
	return h.setQueue(w, r, func(q *persistence.QueueSettings) {
		if set["cluster_concurrency"] {
			q.Everywhere = to.everywhere
		}
		if set["concurrency"] {
			q.Concurrency = to.concurrency
		}
		if set["paused"] {
			q.Paused = to.paused
		}
		if set["reason"] {
			q.Reason = to.reason
		}
		if !q.Paused {
			q.Reason = ""
		}
	})
}

// pauseQueue is POST /v1/queues/{queue}/pause, with an optional {reason}.
func (h *Handler) pauseQueue(w http.ResponseWriter, r *http.Request) error {
	reason, err := readReason(w, r, maxReason)
	if err != nil {
		return err
	}
	return h.setQueue(w, r, func(q *persistence.QueueSettings) { q.Paused, q.Reason = true, reason })
}

// resumeQueue is POST /v1/queues/{queue}/resume.
func (h *Handler) resumeQueue(w http.ResponseWriter, r *http.Request) error {
	if _, err := readReason(w, r, maxReason); err != nil {
		return err
	}
	return h.setQueue(w, r, func(q *persistence.QueueSettings) { q.Paused, q.Reason = false, "" })
}

func (h *Handler) setQueue(w http.ResponseWriter, r *http.Request, change func(*persistence.QueueSettings)) error {
	queue := mux.Vars(r)["queue"]
	if err := checkName(queue); err != nil {
		return refuse("not_found", "queue %s", err)
	}
	state, err := h.node.SetQueue(r.Context(), queue, change)
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, queueViewOf(state))
}
