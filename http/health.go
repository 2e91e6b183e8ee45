package httpapi

import (
	"maps"
	"net/http"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// healthy is GET /healthz: the process serves. It asks nothing, so that a server that is down elsewhere restarts nobody here.
func (h *Handler) healthy(w http.ResponseWriter, _ *http.Request) error {
	return answer(w, http.StatusOK, map[string]string{"status": "ok"})
}

// ready is GET /readyz: whether to send work here. Strangers learn which checks fail, and not why.
func (h *Handler) ready(w http.ResponseWriter, r *http.Request) error {
	checks, ok := h.node.Ready(r.Context())
	shown := map[string]string{}
	maps.Copy(shown, checks)
	if _, err := h.authenticate(r, route{}); err != nil {
		for check, says := range shown {
			if says != "ok" {
				shown[check] = "failing"
			}
		}
	}
	if h.streams.draining() {
		shown["draining"], ok = "yes", false
	}
	status, word := http.StatusOK, "ready"
	for _, says := range shown {
		if says != "ok" {
			word = "degraded" // work can be sent here all the same
		}
	}
	if !ok {
		status, word = http.StatusServiceUnavailable, "not ready"
	}
	return answer(w, status, map[string]any{"status": word, "checks": shown})
}

// showMetrics is GET /metrics.
func (h *Handler) showMetrics(w http.ResponseWriter, r *http.Request) error {
	promhttp.HandlerFor(h.cfg.Gatherer, promhttp.HandlerOpts{
		EnableOpenMetrics: true, ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: 4,
	}).ServeHTTP(w, r)
	return nil
}
