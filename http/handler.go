package httpapi

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/mux"
	"github.com/meta-ad-studio/troupe/actors/job"
)

// Handler is the whole interface. Make one with New.
type Handler struct {
	cfg      Config
	node     Node
	log      *slog.Logger
	metrics  *metrics
	signer   *signer
	streams  *streams
	document []byte // OpenAPI as JSON
	page     *page
	chain    http.Handler
}

var _ http.Handler = (*Handler)(nil)

// New makes the interface. It panics on a configuration that can't work: no node, a token without a valid name, a secret that is too
// short, metrics registered twice.
func New(cfg Config) *Handler {
	if cfg.Node == nil {
		panic("httpapi: New without a node")
	}
	for _, token := range cfg.Tokens {
		if !job.ValidName(token.Name) {
			panic(fmt.Sprintf("httpapi: token name %q", token.Name))
		}
	}
	if err := CheckSecrets(cfg.Secrets); err != nil {
		panic("httpapi: " + err.Error())
	}
	cfg = cfg.withDefaults()
	m := newMetrics(cfg.Registerer)
	h := &Handler{
		cfg: cfg, node: cfg.Node, log: cfg.Logger, metrics: m,
		signer: newSigner(cfg.Secrets), streams: newStreams(cfg.Streams, m),
		document: openAPI(), page: newPage(cfg.UI),
	}
	h.chain = h.observe(h.guard(h.router()))
	return h
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.chain.ServeHTTP(w, r) }

// router makes the mux of the table of routes. Its middleware would not see unknown routes, so it has none: the chain is around it.
func (h *Handler) router() http.Handler {
	router := mux.NewRouter().SkipClean(true)
	for _, one := range h.routes() {
		router.Handle(one.path, h.admit(one)).Methods(one.methods...)
	}
	router.NotFoundHandler = http.HandlerFunc(h.unmatched)
	router.MethodNotAllowedHandler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", strings.Join(allowed(router, r), ", "))
		h.fail(w, r, refuse("method_not_allowed", "%s is not allowed here", methodLabel(r.Method)))
	})
	return router
}

// allowed asks the router which methods the path has.
func allowed(router *mux.Router, r *http.Request) []string {
	var methods []string
	probe := r.Clone(r.Context())
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		probe.Method = method
		var match mux.RouteMatch
		if router.Match(probe, &match) && match.MatchErr == nil && match.Route != nil {
			methods = append(methods, method)
		}
	}
	return methods
}

// admit is what surrounds every handler: it notes the route, asks who it is, bounds the time and answers errors.
func (h *Handler) admit(one route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := exchangeOf(r)
		x.route = one.path
		if !one.open {
			who, err := h.authenticate(r, one)
			if x.caller = who; err == nil && who.grant != nil {
				err = h.admitJob(r, who.grant)
			}
			if err != nil {
				if one.stream {
					h.metrics.rejected.WithLabelValues("auth").Inc()
				}
				h.fail(w, r, err)
				return
			}
		}
		if !one.long {
			limit := apiTimeout
			if one.bulk {
				limit = bulkTimeout
				// A connection without deadlines has none to extend.
				_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(bulkTimeout + writeTimeout))
			}
			ctx, cancel := context.WithTimeout(r.Context(), limit)
			defer cancel()
			r = r.WithContext(ctx)
		}
		if err := one.serve(w, r); err != nil {
			h.fail(w, r, err)
		}
	})
}

// unmatched serves the page's own files and addresses; everything else is not found.
func (h *Handler) unmatched(w http.ResponseWriter, r *http.Request) {
	if h.page.serve(w, r) {
		exchangeOf(r).route = "/"
		return
	}
	h.fail(w, r, refuse("not_found", "there is nothing at this address"))
}

// pathID reads the id in the path. What can't be an id names no job.
func pathID(r *http.Request) (job.ID, error) {
	id, err := job.ParseID(mux.Vars(r)["id"])
	if err != nil {
		return job.ID{}, refuse("not_found", "%s", err)
	}
	return id, nil
}
