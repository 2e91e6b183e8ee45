package httpapi

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
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

// principalOf finds whose secret it is, looking at every token in a time that tells nothing.
func principalOf(tokens []Token, secret string) (string, bool) {
	if secret == "" || len(secret) > maxToken {
		return "", false
	}
	hash := sha256.Sum256([]byte(secret))
	found := -1
	for i := range tokens {
		found = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(hash[:], tokens[i].Hash[:]), i, found)
	}
	if found < 0 {
		return "", false
	}
	return tokens[found].Name, true
}

// authenticate says who asks. Without tokens everybody is nobody, and welcome.
func (h *Handler) authenticate(r *http.Request) (string, error) {
	if len(h.cfg.Tokens) == 0 {
		return "", nil
	}
	if header := r.Header.Get("Authorization"); header != "" {
		scheme, secret, _ := strings.Cut(header, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return "", refuse("unauthenticated", "want Authorization: Bearer TOKEN")
		}
		if name, ok := principalOf(h.cfg.Tokens, strings.TrimSpace(secret)); ok {
			return name, nil
		}
		return "", refuse("unauthenticated", "the token is not known")
	}
	if name, ok := h.sessions.principal(r); ok {
		return name, nil
	}
	return "", refuse("unauthenticated", "send Authorization: Bearer TOKEN, or open a session")
}
