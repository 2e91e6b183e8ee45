package httpapi

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
)

// cancel is POST /v1/jobs/{id}/cancel, with an optional {reason} and ?wait=. To ask again is answered the same: with the job as it is, or
// that it is too late.
func (h *Handler) cancel(w http.ResponseWriter, r *http.Request) error {
	params, err := readOnly(r, "wait")
	if err != nil {
		return err
	}
	wait, err := readWait(params["wait"])
	if err != nil {
		return err
	}
	id, reason, err := readAction(w, r, maxBody)
	if err != nil {
		return err
	}
	if len(reason) > job.MaxCancelReason {
		return refuse("too_large", "reason: %d bytes, at most %d", len(reason), job.MaxCancelReason)
	}
	j, err := h.node.Cancel(r.Context(), id, exchangeOf(r).principal, reason)
	if err == nil && wait > 0 && !j.Status.Terminal() {
		j, err = h.awaitEnd(r, id, wait)
	}
	return h.answerAction(w, r, id, j, err)
}

// awaitEnd waits until a job that was asked to stop has ended.
func (h *Handler) awaitEnd(r *http.Request, id job.ID, wait time.Duration) (job.Job, error) {
	ctx, cancel := context.WithTimeout(r.Context(), wait)
	defer cancel()
	j, err := h.node.AwaitEnd(ctx, id)
	if err == nil && j.CancelState() == job.CancelTooLate {
		err = &actors.TooLateError{Job: j}
	}
	return j, err
}

// readWait reads how long an answer may be waited for.
func readWait(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	wait, err := time.ParseDuration(text)
	if err != nil || wait < 0 || wait > maxWait {
		return 0, refuse("invalid", "wait: want a time such as 5s, at most %s", maxWait)
	}
	return wait, nil
}

// retry is POST /v1/jobs/{id}/retry. A job that is queued already is answered as it is.
func (h *Handler) retry(w http.ResponseWriter, r *http.Request) error {
	id, _, err := readAction(w, r, maxReason)
	if err != nil {
		return err
	}
	j, err := h.node.Retry(r.Context(), id, exchangeOf(r).principal)
	return h.answerAction(w, r, id, j, err)
}

func (h *Handler) answerAction(w http.ResponseWriter, r *http.Request, id job.ID, j job.Job, err error) error {
	if errors.Is(err, job.ErrUnchanged) {
		j, err = h.node.Get(r.Context(), id)
	}
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, j.FullView())
}

// delete is DELETE /v1/jobs/{id}: of jobs that have ended only.
func (h *Handler) delete(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	if err := h.node.Delete(r.Context(), id); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func readAction(w http.ResponseWriter, r *http.Request, limit int) (job.ID, string, error) {
	id, err := pathID(r)
	if err != nil {
		return id, "", err
	}
	reason, err := readReason(w, r, limit)
	return id, reason, err
}

// readReason reads a body that may be empty or {reason}, of so many bytes at most.
func readReason(w http.ResponseWriter, r *http.Request, limit int) (string, error) {
	body, err := readBody(w, r, maxBody)
	if err != nil || len(bytes.TrimSpace(body)) == 0 {
		return "", err
	}
	var reason string
	err = readObject(body, "", fields{"reason": text(&reason, limit)})
	return reason, err
}
