package httpapi

import (
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// audience says what a signed text is for; one that was signed for something else does not pass.
type audience string

const (
	forStream  audience = "stream"  // a stream token: reads the jobs of its topics
	forTicket  audience = "ticket"  // the same, for one use
	forSession audience = "session" // a person's cookie
)

// signer signs what this interface hands out, and checks it when it comes back, to whichever node: JSON Web Tokens under
// HMAC-SHA-256, and under nothing else, whatever a token says of itself.
type signer struct {
	secrets [][]byte // the first signs; all are taken
	now     func() time.Time
}

// claims are what a signed text says. The id tells it from all others; the subject is the principal that it was given to.
type claims struct {
	Topics []string `json:"topics,omitempty"`
	Token  string   `json:"tok,omitempty"` // of a session: which token it was opened with
	jwt.RegisteredClaims
}

// MinSecret and maxSecrets bound what signs.
const (
	MinSecret  = 32 // bytes
	maxSecrets = 5  // each is tried for every text that comes in
)

// CheckSecrets says what is wrong with secrets to sign with, without repeating them: at most five, of MinSecret bytes at least.
func CheckSecrets(secrets [][]byte) error {
	if len(secrets) > maxSecrets {
		return fmt.Errorf("%d secrets to sign with, at most %d", len(secrets), maxSecrets)
	}
	for i, secret := range secrets {
		if len(secret) < MinSecret {
			return fmt.Errorf("secret %d to sign with has %d bytes, at least %d are needed", i+1, len(secret), MinSecret)
		}
	}
	return nil
}

// newSigner makes a signer. Without secrets it makes one that no other node knows.
func newSigner(secrets [][]byte) *signer {
	if len(secrets) == 0 {
		own := make([]byte, MinSecret)
		_, _ = rand.Read(own) // never fails
		secrets = [][]byte{own}
	}
	return &signer{secrets: secrets, now: time.Now}
}

// sign completes the claims with an id, the audience and the times, and answers them with their text.
func (s *signer) sign(what audience, c claims, age time.Duration) (string, claims, error) {
	now := s.now()
	c.ID = rand.Text()
	c.Audience = jwt.ClaimStrings{string(what)}
	c.IssuedAt, c.ExpiresAt = jwt.NewNumericDate(now), jwt.NewNumericDate(now.Add(age))
	text, err := jwt.NewWithClaims(jwt.SigningMethodHS256, c).SignedString(s.secrets[0])
	if err != nil {
		return "", claims{}, fmt.Errorf("sign a %s: %w", what, err)
	}
	return text, c, nil
}

var (
	errForged  = errors.New("it was not given out here, or for something else")
	errExpired = errors.New("expired")
)

// check reads a text that was signed for the audience: errExpired if its time is over, errForged for all that is wrong otherwise.
// What would last longer than the given age from now on was not made by these rules, whoever signed it.
func (s *signer) check(what audience, text string, age time.Duration) (claims, error) {
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithAudience(string(what)),
		jwt.WithExpirationRequired(), jwt.WithStrictDecoding(), jwt.WithTimeFunc(s.now),
	)
	keys := jwt.VerificationKeySet{Keys: make([]jwt.VerificationKey, len(s.secrets))}
	for i, secret := range s.secrets {
		keys.Keys[i] = secret
	}
	var c claims
	_, err := parser.ParseWithClaims(text, &c, func(*jwt.Token) (any, error) { return keys, nil })
	switch {
	case errors.Is(err, jwt.ErrTokenExpired) && !errors.Is(err, jwt.ErrTokenSignatureInvalid) && !errors.Is(err, jwt.ErrTokenInvalidAudience):
		return claims{}, errExpired
	case err != nil, len(c.Audience) != 1, c.ID == "" || len(c.ID) > maxTokenID, c.ExpiresAt.After(s.now().Add(age + clockSkew)):
		return claims{}, errForged
	}
	return c, nil
}
