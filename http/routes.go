package httpapi

import "net/http"

// route is one line of the table of routes. The OpenAPI document has the same lines; a test compares them.
type route struct {
	methods []string
	path    string
	serve   func(http.ResponseWriter, *http.Request) error
	open    bool // for everybody, also when there are tokens
	scoped  bool // a stream token opens it, for the jobs of its topics; with {id} in the path that is seen to before serve is called
	tickets bool // so does a ticket
	stream  bool // of events: counted among streams
	long    bool // no deadline but its own
	bulk    bool // touches many jobs: bulkTimeout
}

func (h *Handler) routes() []route {
	get, post, del, patch := []string{http.MethodGet, http.MethodHead}, []string{http.MethodPost}, []string{http.MethodDelete}, []string{http.MethodPatch}
	getOnly := []string{http.MethodGet} // HEAD of a stream would never end
	return []route{
		{methods: post, path: "/v1/jobs", serve: h.submit},
		{methods: get, path: "/v1/jobs", serve: h.list, scoped: true},
		{methods: post, path: "/v1/jobs/batch", serve: h.submitBatch},
		{methods: get, path: "/v1/jobs/{id}", serve: h.get, scoped: true},
		{methods: del, path: "/v1/jobs/{id}", serve: h.delete},
		{methods: get, path: "/v1/jobs/{id}/events", serve: h.history},
		{methods: get, path: "/v1/jobs/{id}/waiting", serve: h.waiting},
		{methods: post, path: "/v1/jobs/{id}/cancel", serve: h.cancel},
		{methods: post, path: "/v1/jobs/{id}/retry", serve: h.retry},
		{methods: get, path: "/v1/jobs/{id}/artifacts/{name}", serve: h.artifact, long: true, scoped: true},
		{methods: getOnly, path: "/v1/jobs/{id}/logs", serve: h.showLog, stream: true, long: true, scoped: true, tickets: true},
		{methods: getOnly, path: "/v1/jobs/{id}/output", serve: h.showOutput, stream: true, long: true, scoped: true, tickets: true},
		{methods: getOnly, path: "/v1/jobs/{id}/stream", serve: h.streamJob, stream: true, long: true, scoped: true, tickets: true},
		{methods: getOnly, path: "/v1/stream", serve: h.streamTopics, stream: true, long: true, scoped: true, tickets: true},
		{methods: post, path: "/v1/stream", serve: h.streamBody, stream: true, long: true, scoped: true},
		{methods: get, path: "/v1/streams", serve: h.listStreams},
		{methods: post, path: "/v1/stream-tokens", serve: h.giveStreamToken},
		{methods: post, path: "/v1/stream-tickets", serve: h.giveTicket},
		{methods: post, path: "/v1/videos", serve: h.submitVideo},
		{methods: get, path: "/v1/dead", serve: h.listDead},
		{methods: del, path: "/v1/dead", serve: h.purgeDead, bulk: true},
		{methods: get, path: "/v1/dead/groups", serve: h.deadGroups},
		{methods: post, path: "/v1/dead/redrive", serve: h.redriveDead, bulk: true},
		{methods: get, path: "/v1/queues", serve: h.queues},
		{methods: patch, path: "/v1/queues/{queue}", serve: h.patchQueue},
		{methods: post, path: "/v1/queues/{queue}/pause", serve: h.pauseQueue},
		{methods: post, path: "/v1/queues/{queue}/resume", serve: h.resumeQueue},
		{methods: get, path: "/v1/nodes", serve: h.nodes},
		{methods: post, path: "/v1/nodes/{node}/drain", serve: h.drain},
		{methods: get, path: "/v1/actors", serve: h.actors},
		{methods: get, path: "/v1/session", serve: h.whoAmI},
		{methods: post, path: "/v1/session", serve: h.logIn, open: true},
		{methods: del, path: "/v1/session", serve: h.logOut, open: true},
		{methods: get, path: "/healthz", serve: h.healthy, open: true},
		{methods: get, path: "/readyz", serve: h.ready, open: true},
		{methods: get, path: "/metrics", serve: h.showMetrics},
		{methods: get, path: "/openapi.json", serve: h.showDocument},
		{methods: get, path: "/", serve: h.index, open: true},
		{methods: get, path: "/assets/{file:.+}", serve: h.asset, open: true},
	}
}
