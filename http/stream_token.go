package httpapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/meta-ad-studio/troupe/actors"
)

// issued is a stream token as clients get it.
type issued struct {
	Token   string    `json:"token"`
	Expires time.Time `json:"expires_at"`
	Topics  []string  `json:"topics"`
}

// issuedTicket is a ticket as clients get it.
type issuedTicket struct {
	Ticket  string    `json:"ticket"`
	Expires time.Time `json:"expires_at"`
	URL     string    `json:"url"`
}

// giveStreamToken is POST /v1/stream-tokens: for a server that hands tokens to its browsers.
func (h *Handler) giveStreamToken(w http.ResponseWriter, r *http.Request) error {
	age := int(streamTokenAge.Seconds())
	topics, err := h.readTopics(w, r, fields{"ttl_s": number(&age)})
	if err != nil {
		return err
	}
	if age < 1 || age > int(streamTokenAge.Seconds()) {
		return refuse("invalid", "ttl_s: want 1 to %d", int(streamTokenAge.Seconds()))
	}
	token, c, err := h.signer.sign(forStream, claims{Topics: topics}.of(exchangeOf(r).principal), time.Duration(age)*time.Second)
	if err != nil {
		return err
	}
	h.metrics.credentials.WithLabelValues("token", "issued").Inc()
	return answer(w, http.StatusCreated, issued{token, c.ExpiresAt.UTC(), topics})
}

// giveTicket is POST /v1/stream-tickets: for clients that can set no header. A ticket opens one stream.
func (h *Handler) giveTicket(w http.ResponseWriter, r *http.Request) error {
	if h.cfg.Once == nil {
		return refuse("not_found", "this server gives no tickets")
	}
	topics, err := h.readTopics(w, r, nil)
	if err != nil {
		return err
	}
	ticket, c, err := h.signer.sign(forTicket, claims{Topics: topics}.of(exchangeOf(r).principal), ticketAge)
	if err != nil {
		return err
	}
	h.metrics.credentials.WithLabelValues("ticket", "issued").Inc()
	return answer(w, http.StatusCreated, issuedTicket{ticket, c.ExpiresAt.UTC(), "/v1/stream?" + url.Values{"ticket": {ticket}}.Encode()})
}

// of says who asked for it.
func (c claims) of(principal string) claims {
	c.Subject = principal
	return c
}

// readTopics reads a body with topics, and more. Their normal form is answered: "owner:me" is the principal.
func (h *Handler) readTopics(w http.ResponseWriter, r *http.Request, more fields) ([]string, error) {
	body, err := readBody(w, r, maxBody)
	if err != nil {
		return nil, err
	}
	var said []string
	known := fields{"topics": func(raw json.RawMessage) error {
		if json.Unmarshal(raw, &said) != nil {
			return errors.New("want a list of topics")
		}
		return nil
	}}
	for name, read := range more {
		known[name] = read
	}
	if err := readObject(body, "", known); err != nil {
		return nil, err
	}
	if len(said) == 0 {
		return nil, refuse("invalid", "topics: at least one is needed")
	}
	topics, err := readTopicList(said, exchangeOf(r))
	if err != nil {
		return nil, err
	}
	if len(topics) > maxGrantTopics {
		return nil, refuse("too_large", "%d topics, at most %d: name an owner or a batch instead of its jobs", len(topics), maxGrantTopics)
	}
	normal := make([]string, len(topics))
	for i, t := range topics {
		normal[i] = t.String()
	}
	return normal, nil
}

// linkTo is where to watch the topics, with a token for them if there are tokens at all.
func (h *Handler) linkTo(address, principal string, topics ...actors.Topic) (streamLink, error) {
	link := streamLink{URL: address}
	if len(h.cfg.Tokens) == 0 {
		return link, nil
	}
	c := claims{Topics: make([]string, len(topics))}.of(principal)
	for i, t := range topics {
		c.Topics[i] = t.String()
	}
	token, c, err := h.signer.sign(forStream, c, streamTokenAge)
	if err != nil {
		return link, err
	}
	h.metrics.credentials.WithLabelValues("token", "issued").Inc()
	expires := c.ExpiresAt.UTC()
	link.Token, link.Expires = token, &expires
	return link, nil
}
