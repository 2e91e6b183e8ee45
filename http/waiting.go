package httpapi

import "net/http"

// waiting is GET /v1/jobs/{id}/waiting: why the job waits, and where it stands.
func (h *Handler) waiting(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	why, err := h.node.Waiting(r.Context(), id)
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, why)
}
