package httpapi

import (
	"errors"
	"net/http"
	"time"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
)

// accepted is the answer to a submission: the job, and where to watch it.
type accepted struct {
	job.View
	Stream streamLink `json:"stream"`
}

type streamLink struct {
	URL     string     `json:"url"`
	Token   string     `json:"token,omitempty"`
	Expires *time.Time `json:"expires_at,omitempty"`
}

func jobURL(id job.ID) string { return "/v1/jobs/" + id.String() }

func viewOf(a *actors.Accepted) accepted {
	return accepted{View: a.Job.FullView(), Stream: streamLink{URL: jobURL(a.Job.ID) + "/stream"}}
}

// submit is POST /v1/jobs.
func (h *Handler) submit(w http.ResponseWriter, r *http.Request) error {
	body, err := readBody(w, r, maxBody)
	if err != nil {
		return err
	}
	o, err := readOrder(body, "", false)
	if err != nil {
		return err
	}
	return h.place(w, r, o)
}

// place hands the order to the node and answers 202 when the job is safe.
func (h *Handler) place(w http.ResponseWriter, r *http.Request, o order) error {
	key, err := idempotencyKey(r)
	if err != nil {
		return err
	}
	o.key = key
	s, err := o.submission(exchangeOf(r).principal, time.Now())
	if err != nil {
		return err
	}
	done, err := h.node.Submit(r.Context(), s)
	if err != nil {
		return explain(err, o)
	}
	header := w.Header()
	header.Set("Location", jobURL(done.Job.ID))
	header.Set("Durability", done.Durability)
	if done.Repeated {
		header.Set("Idempotent-Replayed", "true")
	}
	view := viewOf(&done)
	topic := actors.Topic{Kind: actors.TopicJob, Value: done.Job.ID.String()}
	if view.Stream, err = h.linkTo(view.Stream.URL, exchangeOf(r).principal, topic); err != nil {
		return err
	}
	return answer(w, http.StatusAccepted, view)
}

// explain says of a conflict of keys what differs.
func explain(err error, o order) error {
	conflict, ok := errors.AsType[*actors.KeyConflictError](err)
	if !ok {
		return err
	}
	return &refusal{code: "key_conflict", detail: conflict.Error() + ", by job " + conflict.First.ID.String(), differs: differs(&conflict.First, o)}
}
