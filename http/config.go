package httpapi

import (
	"encoding/json"
	"io/fs"
	"log/slog"
	"net/netip"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meta-ad-studio/troupe/persistence"
)

// Config is what the interface is made of. Node is needed; everything else has a default.
type Config struct {
	Node Node

	// Name is the node's name as streams, and the header Troupe-Node of every answer, show it.
	Name string

	// Tokens are who may enter. Without any, all may, and the server binds to loopback only.
	Tokens []Token

	// Secrets sign stream tokens, tickets and sessions: the first signs, all are taken, so that they can be changed one after the
	// other. At least MinSecret bytes each, the same at every node. Without any, what this node signs is good here only.
	Secrets [][]byte

	// Once keeps which tickets were used and which sessions were ended. Without it no tickets are given.
	Once persistence.Once

	// Origins are other origins whose pages may ask this server, as ParseOrigins answers them. They have to send a token: cookies
	// are for the server's own pages.
	Origins []string

	// Proxies are believed when they say whom they speak for (X-Forwarded-For) and how (X-Forwarded-Proto).
	Proxies []netip.Prefix

	// Hosts are served, besides localhost, when there are no tokens. A request for any other Host is refused then, so that a page
	// that has its own name resolve to this machine gets no answer.
	Hosts []string

	// Registerer takes the metrics and Gatherer is what /metrics shows; by default a registry of their own.
	Registerer prometheus.Registerer
	Gatherer   prometheus.Gatherer

	Logger *slog.Logger

	// UI is the page: index.html, and hashed files below assets/. Without it / names the interface.
	UI fs.FS

	// ParseVideo checks the payload of POST /v1/videos beyond the names and types of its fields. Its error is shown to the client.
	ParseVideo func(payload json.RawMessage) error

	Streams StreamLimits
}

func (c Config) withDefaults() Config {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Registerer == nil || c.Gatherer == nil {
		own := prometheus.NewRegistry()
		c.Registerer, c.Gatherer = own, own
	}
	if c.ParseVideo == nil {
		c.ParseVideo = func(json.RawMessage) error { return nil }
	}
	c.Streams = c.Streams.withDefaults()
	return c
}
