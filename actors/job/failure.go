package job

import (
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"time"
	"unicode"
)

// Failure is why an attempt, or a whole life, ended badly. It is what screens show and engineers search.
type Failure struct {
	// Code classes the failure: error, panic, timeout, permanent, crashes, invalid, or a word of the handler's own.
	Code string `json:"code"`
	// Message is the error's text, at most MaxFailureMessage bytes. It is untrusted: show it as text only.
	Message string `json:"message"`
	// Fingerprint is equal for failures that differ only in numbers and ids, so that like ones can be counted together.
	Fingerprint string `json:"fingerprint"`
	// Stack is where a panic happened; kept in the history, not shown on streams.
	Stack string `json:"stack,omitempty"`
}

// Codes of failures that are not a plain error of the handler.
const (
	CodeError     = "error"
	CodePanic     = "panic"
	CodeTimeout   = "timeout"
	CodePermanent = "permanent"
	CodeCrashes   = "crashes"
	CodeNoHandler = "no_handler"
)

// Bounds on what a failure keeps.
const (
	MaxFailureMessage = 4 << 10
	MaxFailureStack   = 8 << 10
)

// NewFailure makes a failure, cutting the message to its bound and fingerprinting it.
func NewFailure(code, message string) *Failure {
	code, message = clean(code, MaxName), clean(message, len(message)*len("\uFFFD"))
	return &Failure{Code: code, Message: cut(message, MaxFailureMessage), Fingerprint: fingerprint(code, message)}
}

// WithStack adds the stack, cut to its bound.
func (f *Failure) WithStack(stack string) *Failure {
	f.Stack = clean(stack, MaxFailureStack)
	return f
}

// fingerprint hashes the code and the words of a message, leaving out every word that has a digit in it. Dashes are part of
// a word, so that a UUID is one: a group of its digits may happen to be letters only.
func fingerprint(code, message string) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(code))
	for word := range strings.FieldsFuncSeq(message, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '-' }) {
		if !strings.ContainsFunc(word, unicode.IsDigit) {
			_, _ = h.Write([]byte{' '})
			_, _ = h.Write([]byte(word))
		}
	}
	return fmt.Sprintf("%016x", h.Sum64())
}

// Permanent marks an error that no further attempt can mend: the job is a dead letter at once.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanent{err}
}

// RetryAfter marks an error whose next attempt must wait at least d, whatever the backoff says: a provider's Retry-After.
// It spends an attempt. The wait is bounded by MaxDelay.
func RetryAfter(d time.Duration, err error) error {
	if err == nil {
		err = fmt.Errorf("asked to retry after %s", d)
	}
	return &retryAfter{d, err}
}

// Snooze ends the attempt without success or failure: the job is scheduled again after d and no attempt is spent.
// The wait is bounded by MaxDelay.
func Snooze(d time.Duration) error { return &snooze{d} }

// MaxDelay bounds how far ahead a job may be scheduled, snoozed or retried.
const MaxDelay = 366 * 24 * time.Hour

type permanent struct{ error }

func (p *permanent) Unwrap() error { return p.error }

type retryAfter struct {
	wait time.Duration
	error
}

func (r *retryAfter) Unwrap() error { return r.error }

type snooze struct{ wait time.Duration }

func (s *snooze) Error() string { return "snoozed for " + s.wait.String() }

// Outcome turns what a handler returned into the event it means for its job. Jitter is as in Backoff.Delay.
func Outcome(result []byte, err error, jitter float64) Event {
	if err == nil {
		return Succeeded{Result: result}
	}
	if z, ok := errors.AsType[*snooze](err); ok {
		return Snoozed{Delay: z.wait}
	}
	failed := AttemptFailed{Failure: NewFailure(CodeError, err.Error()), Jitter: jitter}
	if r, ok := errors.AsType[*retryAfter](err); ok {
		failed.RetryAfter = r.wait
	}
	if _, ok := errors.AsType[*permanent](err); ok {
		failed.Permanent = true
		failed.Failure.Code = CodePermanent
	}
	return failed
}
