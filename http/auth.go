package httpapi

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Token lets its bearer in. Only the hash of the secret is kept: a secret of 256 random bits needs no slower hash.
type Token struct {
	Name string // of the principal: the owner of its jobs unless they say otherwise; job.ValidName
	Hash [sha256.Size]byte
}

// NewToken keeps the hash of a secret.
func NewToken(name, secret string) Token {
	return Token{Name: name, Hash: sha256.Sum256([]byte(secret))}
}

// mark tells the token from others of its name, and tells nothing of its hash.
func (t Token) mark() string {
	sum := sha256.Sum256(append([]byte("troupe session "), t.Hash[:]...))
	return hex.EncodeToString(sum[:8])
}

// tokenOf finds whose secret it is, looking at every token in a time that tells nothing.
func tokenOf(tokens []Token, secret string) (Token, bool) {
	if secret == "" || len(secret) > maxToken {
		return Token{}, false
	}
	hash := sha256.Sum256([]byte(secret))
	found := -1
	for i := range tokens {
		found = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(hash[:], tokens[i].Hash[:]), i, found)
	}
	if found < 0 {
		return Token{}, false
	}
	return tokens[found], true
}

// caller is who asks, and what bounds that.
type caller struct {
	principal string
	grant     *grant    // of a stream token or a ticket; nil may do everything
	expires   time.Time // streams end then; zero is never
	session   string    // its id, if the caller showed a cookie
}

// authenticate says who asks. Without tokens everybody is nobody, and welcome.
func (h *Handler) authenticate(r *http.Request, one route) (caller, error) {
	if one.tickets {
		if ticket, ok := ticketOf(r); ok {
			return h.redeem(r, ticket)
		}
	}
	bearer, bears, err := bearerOf(r)
	if len(h.cfg.Tokens) == 0 {
		// A token still says what its bearer wants to see; any other is somebody else's matter.
		if bears && one.scoped {
			if c, err := h.granted(bearer); err == nil {
				return c, nil
			}
		}
		return caller{}, nil
	}
	switch {
	case err != nil:
		return caller{}, err
	case bears:
		return h.bearer(bearer, one)
	case exchangeOf(r).foreign:
		return caller{}, refuse("unauthenticated", "another origin's requests need Authorization: Bearer TOKEN")
	}
	return h.session(r)
}

func bearerOf(r *http.Request) (secret string, bears bool, err error) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return "", false, nil
	}
	scheme, secret, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", false, refuse("unauthenticated", "want Authorization: Bearer TOKEN")
	}
	return strings.TrimSpace(secret), true, nil
}

// bearer takes a token that opens everything, or one for streams where those are taken.
func (h *Handler) bearer(secret string, one route) (caller, error) {
	if token, ok := tokenOf(h.cfg.Tokens, secret); ok {
		return caller{principal: token.Name}, nil
	}
	c, err := h.granted(secret)
	if err == nil && !one.scoped {
		return caller{}, refuse("forbidden", "a stream token does not open this")
	}
	return c, err
}

// granted reads a stream token.
func (h *Handler) granted(secret string) (caller, error) {
	if strings.Count(secret, ".") != 2 || len(secret) > maxGrantText {
		return caller{}, refuse("unauthenticated", "the token is not known")
	}
	g, err := h.readGrant(forStream, secret, streamTokenAge)
	if err != nil {
		return caller{}, err
	}
	return caller{principal: g.issuer, grant: g, expires: g.expires}, nil
}

func (h *Handler) readGrant(what audience, text string, age time.Duration) (*grant, error) {
	word := "token"
	if what == forTicket {
		word = "ticket"
	}
	c, err := h.signer.check(what, text, age)
	var g *grant
	if err == nil {
		g, err = grantOf(c)
	}
	switch {
	case errors.Is(err, errExpired):
		h.metrics.credentials.WithLabelValues(word, "expired").Inc()
		return nil, refuse("unauthenticated", "the %s has expired", word)
	case err != nil:
		h.metrics.credentials.WithLabelValues(word, "refused").Inc()
		return nil, refuse("unauthenticated", "the %s is not known", word)
	}
	h.metrics.credentials.WithLabelValues(word, "taken").Inc()
	return g, nil
}

// ticketOf is the ticket in the query. It is nowhere written down.
func ticketOf(r *http.Request) (string, bool) {
	if !strings.Contains(r.URL.RawQuery, "ticket") {
		return "", false
	}
	params, _ := url.ParseQuery(r.URL.RawQuery) // the handler says what is wrong with it
	values, ok := params["ticket"]
	if !ok {
		return "", false
	}
	return values[0], true
}

// redeem takes a ticket, which no node takes again. It is spent also if the stream is then refused.
func (h *Handler) redeem(r *http.Request, ticket string) (caller, error) {
	if h.cfg.Once == nil || len(ticket) > maxGrantText {
		return caller{}, refuse("unauthenticated", "the ticket is not known")
	}
	g, err := h.readGrant(forTicket, ticket, ticketAge)
	if err != nil {
		return caller{}, err
	}
	first, err := h.cfg.Once.Spend(r.Context(), "ticket:"+g.id, ticketAge+clockSkew)
	if err != nil {
		return caller{}, err
	}
	if !first {
		h.metrics.credentials.WithLabelValues("ticket", "spent").Inc()
		return caller{}, refuse("unauthenticated", "the ticket was used before: ask for another")
	}
	g.expires = time.Time{} // it was for the opening
	return caller{principal: g.issuer, grant: g}, nil
}
