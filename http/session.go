package httpapi

import (
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"strings"
	"sync"
	"time"
)

// sessions are the logins of people at the page. They live in memory: after a restart, and at another node, people log in again.
type sessions struct {
	mu   sync.Mutex
	open map[[sha256.Size]byte]session // by the hash of the id, so that a look at the memory opens none
	now  func() time.Time
}

type session struct {
	principal string
	expires   time.Time
}

func newSessions() *sessions {
	return &sessions{open: map[[sha256.Size]byte]session{}, now: time.Now}
}

// begin makes a session and returns its id. When there are too many, the one that would end first does.
func (s *sessions) begin(principal string) string {
	id := rand.Text() + rand.Text()
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	var first [sha256.Size]byte
	var firstEnds time.Time
	for key, one := range s.open {
		if !one.expires.After(now) {
			delete(s.open, key)
		} else if firstEnds.IsZero() || one.expires.Before(firstEnds) {
			first, firstEnds = key, one.expires
		}
	}
	if len(s.open) >= maxSessions {
		delete(s.open, first)
	}
	s.open[sha256.Sum256([]byte(id))] = session{principal, now.Add(sessionAge)}
	return id
}

func (s *sessions) end(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, sha256.Sum256([]byte(id)))
}

func (s *sessions) principal(r *http.Request) (string, bool) {
	id, ok := sessionID(r)
	if !ok {
		return "", false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.open[sha256.Sum256([]byte(id))]
	if !ok || !found.expires.After(s.now()) {
		return "", false
	}
	return found.principal, true
}

// A cookie of the first name binds to the host and to TLS; browsers take it over TLS only.
const (
	secureCookie = "__Host-troupe_session"
	plainCookie  = "troupe_session"
)

func sessionID(r *http.Request) (string, bool) {
	for _, name := range []string{secureCookie, plainCookie} {
		if c, err := r.Cookie(name); err == nil && c.Value != "" && len(c.Value) <= maxToken {
			return c.Value, true
		}
	}
	return "", false
}

// sessionCookie is the cookie for this connection. A proxy that ends TLS says so; a client that lies about it only keeps
// its own cookie from being sent.
func sessionCookie(r *http.Request, id string, age time.Duration) *http.Cookie {
	c := &http.Cookie{
		Name: plainCookie, Value: id, Path: "/", MaxAge: int(age.Seconds()), HttpOnly: true, SameSite: http.SameSiteStrictMode,
	}
	if r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https") {
		c.Name, c.Secure = secureCookie, true
	}
	return c
}

// logIn turns a token into a session.
func (h *Handler) logIn(w http.ResponseWriter, r *http.Request) error {
	body, err := readBody(w, r, maxBody)
	if err != nil {
		return err
	}
	var secret string
	if err := readObject(body, "", fields{"token": text(&secret, maxToken)}); err != nil {
		return err
	}
	name, ok := principalOf(h.cfg.Tokens, secret)
	if !ok && len(h.cfg.Tokens) > 0 {
		return refuse("unauthenticated", "the token is not known")
	}
	if ok {
		http.SetCookie(w, sessionCookie(r, h.sessions.begin(name), sessionAge))
	}
	return answer(w, http.StatusOK, me{Principal: name, Open: len(h.cfg.Tokens) == 0})
}

// me says who asks, so that a page knows whether to show a login.
type me struct {
	Principal string `json:"principal"`
	Open      bool   `json:"open"` // no tokens are configured: everybody may do everything
}

func (h *Handler) whoAmI(w http.ResponseWriter, r *http.Request) error {
	return answer(w, http.StatusOK, me{Principal: exchangeOf(r).principal, Open: len(h.cfg.Tokens) == 0})
}

func (h *Handler) logOut(w http.ResponseWriter, r *http.Request) error {
	if id, ok := sessionID(r); ok {
		h.sessions.end(id)
		for _, name := range []string{secureCookie, plainCookie} {
			if _, err := r.Cookie(name); err == nil {
				c := sessionCookie(r, "", -time.Second)
				c.Name, c.Secure = name, name == secureCookie
				http.SetCookie(w, c)
			}
		}
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
