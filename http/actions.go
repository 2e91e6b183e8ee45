package httpapi

import (
	"bytes"
	"errors"
	"net/http"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// cancel is POST /v1/jobs/{id}/cancel, with an optional {reason}. A job that is being cancelled already is answered as it is.
func (h *Handler) cancel(w http.ResponseWriter, r *http.Request) error {
	id, reason, err := readAction(w, r)
	if err != nil {
		return err
	}
	j, err := h.node.Cancel(r.Context(), id, exchangeOf(r).principal, reason)
	return h.answerAction(w, r, id, j, err)
}

// retry is POST /v1/jobs/{id}/retry. A job that is queued already is answered as it is.
func (h *Handler) retry(w http.ResponseWriter, r *http.Request) error {
	id, _, err := readAction(w, r)
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

func readAction(w http.ResponseWriter, r *http.Request) (job.ID, string, error) {
	id, err := pathID(r)
	if err != nil {
		return id, "", err
	}
	reason, err := readReason(w, r)
	return id, reason, err
}

// readReason reads a body that may be empty or {reason}.
func readReason(w http.ResponseWriter, r *http.Request) (string, error) {
	body, err := readBody(w, r, maxBody)
	if err != nil || len(bytes.TrimSpace(body)) == 0 {
		return "", err
	}
	var reason string
	err = readObject(body, "", fields{"reason": text(&reason, maxReason)})
	return reason, err
}
