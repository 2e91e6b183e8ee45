package httpapi

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Whatever is shown, it is refused in good order unless it is, to the byte, what was signed here for that purpose.
func FuzzCredential(f *testing.F) {
	h := New(Config{Node: absent{}, Secrets: [][]byte{bytes.Repeat([]byte{3}, MinSecret), bytes.Repeat([]byte{4}, MinSecret)}})
	now := time.Unix(1_800_000_000, 0)
	h.signer.now = func() time.Time { return now }
	made := map[string]audience{} // the same in each of the processes that take part
	for _, what := range []audience{forStream, forTicket, forSession} {
		text, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
			"aud": what, "sub": "ana", "jti": "j1", "topics": []string{"owner:u1", "all"}, "exp": now.Add(time.Minute).Unix(),
		}).SignedString(h.signer.secrets[1])
		if err != nil {
			f.Fatal(err)
		}
		made[text] = what
		f.Add(text)
		f.Add(text[:len(text)-1])
		f.Add(strings.ToLower(text))
	}
	none, err := jwt.NewWithClaims(jwt.SigningMethodNone, jwt.MapClaims{"aud": "stream", "jti": "x", "topics": []string{"all"}, "exp": now.Add(time.Minute).Unix()}).
		SignedString(jwt.UnsafeAllowNoneSignatureType)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(none)
	f.Add("..")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		who, err := h.granted(text)
		if taken := err == nil; taken != (made[text] == forStream) || taken != (who.grant != nil) {
			t.Errorf("as a token: %+v, %v", who, err)
		}
		if refused, ok := errors.AsType[*refusal](err); err != nil && (!ok || refused.code != "unauthenticated") {
			t.Errorf("refused with %v", err)
		}
		if _, err := h.readGrant(forTicket, text, ticketAge); (err == nil) != (made[text] == forTicket) {
			t.Errorf("as a ticket: %v", err)
		}
		if _, err := h.signer.check(forSession, text, sessionAge); (err == nil) != (made[text] == forSession) {
			t.Errorf("as a session: %v", err)
		}
	})
}
