package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// problem is an error as clients see it (RFC 9457).
type problem struct {
	Type      string      `json:"type"`
	Title     string      `json:"title"`
	Status    int         `json:"status"`
	Detail    string      `json:"detail,omitempty"`
	Instance  string      `json:"instance,omitempty"`
	Code      code        `json:"code"`
	RequestID string      `json:"request_id,omitempty"`
	Differs   []string    `json:"differs,omitempty"` // with key_conflict
	Errors    []itemError `json:"errors,omitempty"`  // with a batch that could not be read
	// Of a job that could not be cancelled: too_late, and the status with which it has ended.
	State   job.CancelState `json:"state,omitempty"`
	EndedAs string          `json:"ended_as,omitempty"`
}

type itemError struct {
	Index  int    `json:"index"`
	Detail string `json:"detail"`
}

// code names a problem for programs. It is part of the public contract.
type code string

// meanings is what each code says. Secret codes keep the error's text for the log.
var meanings = map[code]struct {
	status int
	title  string
	retry  int // seconds, least Retry-After; 0 is none
	secret bool
}{
	"bad_request":        {status: 400, title: "The request can't be read"},
	"unauthenticated":    {status: 401, title: "A token is needed"},
	"forbidden":          {status: 403, title: "Not allowed"},
	"not_found":          {status: 404, title: "Not found"},
	"method_not_allowed": {status: 405, title: "Method not allowed"},
	"already_ended":      {status: 409, title: "The job has already ended"},
	"not_allowed":        {status: 409, title: "Not allowed in this status"},
	"key_in_flight":      {status: 409, title: "The first request with this key is not answered yet", retry: 1},
	"too_large":          {status: 413, title: "Too large"},
	"unsupported_type":   {status: 415, title: "The body is of a type that is not read here"},
	"invalid":            {status: 422, title: "Invalid"},
	"unknown_kind":       {status: 422, title: "Unknown kind of job"},
	"key_conflict":       {status: 422, title: "The idempotency key was used before with another body"},
	"too_many":           {status: 429, title: "Too many at once", retry: 2},
	"internal":           {status: 500, title: "Internal error", secret: true},
	"unavailable":        {status: 503, title: "Unavailable for the moment", retry: 1, secret: true},
	"full":               {status: 503, title: "Full", retry: 5, secret: true},
	"busy":               {status: 503, title: "Busy", retry: 1},
	"draining":           {status: 503, title: "This node takes no new work", retry: 1},
	"timeout":            {status: 503, title: "It took too long", retry: 1, secret: true},
}

// table maps errors to codes; the first match counts.
var table = []struct {
	is   error
	code code
}{
	{actors.ErrUnknownKind, "unknown_kind"},
	{actors.ErrInvalid, "invalid"},
	{persistence.ErrInvalid, "invalid"},
	{actors.ErrKeyInFlight, "key_in_flight"},
	{actors.ErrClosed, "draining"},
	{actors.ErrBusy, "busy"},
	{actors.ErrNoDrain, "not_allowed"},
	{job.ErrTerminal, "already_ended"},
	{job.ErrNotAllowed, "not_allowed"},
	{job.ErrUnchanged, "not_allowed"},
	{job.ErrLimit, "too_large"},
	{persistence.ErrNotFound, "not_found"},
	{persistence.ErrFull, "full"},
	{persistence.ErrUnavailable, "unavailable"},
	{context.DeadlineExceeded, "timeout"},
	{context.Canceled, "timeout"},
}

// refusal is an error of this package's own.
type refusal struct {
	code    code
	detail  string
	differs []string
	errors  []itemError
}

func (e *refusal) Error() string { return string(e.code) + ": " + e.detail }

func refuse(c code, format string, args ...any) error {
	return &refusal{code: c, detail: fmt.Sprintf(format, args...)}
}

// problemOf is the one place where an error becomes an answer.
func problemOf(err error) problem {
	p := problem{Code: "internal", Detail: err.Error()}
	if own, ok := errors.AsType[*refusal](err); ok {
		p.Code, p.Detail, p.Differs, p.Errors = own.code, own.detail, own.differs, own.errors
	} else if _, ok := errors.AsType[*actors.KeyConflictError](err); ok {
		p.Code = "key_conflict"
	} else if late, ok := errors.AsType[*actors.TooLateError](err); ok {
		p.Code, p.State, p.EndedAs = "already_ended", job.CancelTooLate, late.Job.Status.String()
	} else if large, ok := errors.AsType[*http.MaxBytesError](err); ok {
		p.Code, p.Detail = "too_large", fmt.Sprintf("the body is larger than %d bytes", large.Limit)
	} else {
		for _, row := range table {
			if errors.Is(err, row.is) {
				p.Code = row.code
				break
			}
		}
	}
	m := meanings[p.Code]
	p.Type, p.Title, p.Status = "urn:troupe:problem:"+string(p.Code), m.title, m.status
	if m.secret {
		p.Detail = ""
	}
	return p
}

// fail answers with the problem that the error means. It must be the only answer.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(err)
	x := exchangeOf(r)
	p.Instance, p.RequestID = r.URL.Path, x.requestID
	if p.Status >= 500 && !errors.Is(err, context.Canceled) {
		x.err = err
	}
	if wait := meanings[p.Code].retry; wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter(p.Code, wait)))
	}
	if p.Code == "unauthenticated" {
		w.Header().Set("WWW-Authenticate", `Bearer realm="troupe"`)
	}
	w.Header().Del("ETag")
	w.Header().Del("Content-Disposition")
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the client is gone if this fails; the access log says what was answered
}

// retryAfter spreads the clients that were turned away together.
func retryAfter(c code, least int) int {
	if c == "key_in_flight" {
		return least
	}
	return least + rand.IntN(4)
}
