package httpapi

import (
	"context"
	"net/http"
	"slices"
	"time"
)

// A session is a person's log-in at the page. It is kept by nobody: the cookie is signed, so that every node can read it, and says
// which token it was opened with, so that it ends with that token. Where marks are kept (Config.Once), logging out ends it
// everywhere; else it only takes the cookie away.

// A cookie of the first name binds to the host and to TLS; browsers take it over TLS only.
const (
	secureCookie = "__Host-troupe_session"
	plainCookie  = "troupe_session"
)

// sessionOf is the cookie of this connection's kind: over TLS, one that was set without it may be another's.
func sessionOf(r *http.Request, secure bool) (string, bool) {
	name := plainCookie
	if secure {
		name = secureCookie
	}
	if c, err := r.Cookie(name); err == nil && c.Value != "" && len(c.Value) <= maxToken {
		return c.Value, true
	}
	return "", false
}

func sessionCookie(secure bool, value string, age time.Duration) *http.Cookie {
	c := &http.Cookie{
		Name: plainCookie, Value: value, Path: "/", MaxAge: int(age.Seconds()), HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
	if secure {
		c.Name, c.Secure = secureCookie, true
	}
	return c
}

// session says who the cookie's bearer is.
func (h *Handler) session(r *http.Request) (caller, error) {
	text, ok := sessionOf(r, exchangeOf(r).secure)
	if !ok {
		return caller{}, refuse("unauthenticated", "send Authorization: Bearer TOKEN, or open a session")
	}
	c, err := h.signer.check(forSession, text, sessionAge)
	if err != nil || !h.opened(c) || h.ended(r.Context(), c.ID) {
		return caller{}, refuse("unauthenticated", "the session has ended: open another")
	}
	return caller{principal: c.Subject, expires: c.ExpiresAt.Time, session: c.ID}, nil
}

// opened says whether the token that opened the session is still taken.
func (h *Handler) opened(c claims) bool {
	return slices.ContainsFunc(h.cfg.Tokens, func(t Token) bool { return t.Name == c.Subject && t.mark() == c.Token })
}

// ended says whether somebody logged out of it. While the marks can't be read, a session counts until it expires: people must
// get to the page just then.
func (h *Handler) ended(ctx context.Context, session string) bool {
	if h.cfg.Once == nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, markTimeout)
	defer cancel()
	spent, err := h.cfg.Once.Spent(ctx, "session:"+session)
	if err != nil {
		h.log.Debug("can't read whether a session was ended", "error", err)
	}
	return spent
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
	token, ok := tokenOf(h.cfg.Tokens, secret)
	if !ok && len(h.cfg.Tokens) > 0 {
		return refuse("unauthenticated", "the token is not known")
	}
	if ok {
		text, _, err := h.signer.sign(forSession, claims{Token: token.mark()}.of(token.Name), sessionAge)
		if err != nil {
			return err
		}
		http.SetCookie(w, sessionCookie(exchangeOf(r).secure, text, sessionAge))
	}
	return answer(w, http.StatusOK, me{Principal: token.Name, Open: len(h.cfg.Tokens) == 0})
}

// me says who asks, so that a page knows whether to show a login.
type me struct {
	Principal string `json:"principal"`
	Open      bool   `json:"open"` // no tokens are configured: everybody may do everything
}

func (h *Handler) whoAmI(w http.ResponseWriter, r *http.Request) error {
	return answer(w, http.StatusOK, me{Principal: exchangeOf(r).principal, Open: len(h.cfg.Tokens) == 0})
}

// logOut takes the cookies away and ends the session. If that can't be noted now, the answer says so: the cookie would open
// the door to somebody who copied it.
func (h *Handler) logOut(w http.ResponseWriter, r *http.Request) error {
	secure := exchangeOf(r).secure
	for _, name := range []string{secureCookie, plainCookie} {
		if _, err := r.Cookie(name); err == nil {
			http.SetCookie(w, sessionCookie(name == secureCookie, "", -time.Second))
		}
	}
	if text, ok := sessionOf(r, secure); ok && h.cfg.Once != nil {
		if c, err := h.signer.check(forSession, text, sessionAge); err == nil {
			if _, err := h.cfg.Once.Spend(r.Context(), "session:"+c.ID, max(time.Until(c.ExpiresAt.Time), 0)+clockSkew); err != nil {
				return err
			}
			h.streams.revoke(c.ID) // those at other nodes see the mark
		}
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
