package httpapi

import (
	"net/http"

	"github.com/gorilla/mux"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// nodes is GET /v1/nodes: this node, and those that live or have just fallen.
func (h *Handler) nodes(w http.ResponseWriter, r *http.Request) error {
	if _, err := readOnly(r); err != nil {
		return err
	}
	return answer(w, http.StatusOK, map[string]any{"nodes": h.node.Nodes(r.Context())})
}

// drain is POST /v1/nodes/{node}/drain. It answers once the node was told, or word was left for it: GET /v1/nodes shows when it drains, and
// that it is gone.
func (h *Handler) drain(w http.ResponseWriter, r *http.Request) error {
	if _, err := readOnly(r); err != nil {
		return err
	}
	node := mux.Vars(r)["node"]
	if err := checkName(node); err != nil {
		return refuse("not_found", "node %s", err)
	}
	way, err := h.node.DrainNode(r.Context(), node, exchangeOf(r).principal)
	if err != nil {
		return err
	}
	return answer(w, http.StatusAccepted, map[string]any{"node": node, "told": way})
}

// actors is GET /v1/actors: what lives on a node, with job only that job's actor.
func (h *Handler) actors(w http.ResponseWriter, r *http.Request) error {
	params, err := readOnly(r, "node", "job")
	if err != nil {
		return err
	}
	node := params["node"]
	if node != "" {
		if err := checkName(node); err != nil {
			return refuse("not_found", "node %s", err)
		}
	}
	var only job.ID
	if text := params["job"]; text != "" {
		if only, err = job.ParseID(text); err != nil {
			return refuse("invalid", "job: %s", err)
		}
	}
	tree, err := h.node.ActorsOf(r.Context(), node, only)
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, tree)
}

// readOnly reads parameters that may be given once each, and refuses all others.
func readOnly(r *http.Request, names ...string) (map[string]string, error) {
	params, err := readParams(r)
	if err != nil {
		return nil, err
	}
	values := make(map[string]string, len(names))
	for _, name := range names {
		if given := params[name]; len(given) > 1 {
			return nil, refuse("invalid", "%s: give it once", name)
		} else if len(given) == 1 {
			values[name] = given[0]
		}
		delete(params, name)
	}
	for name := range params {
		return nil, refuse("invalid", "%.80q: there is no such parameter", name)
	}
	return values, nil
}
