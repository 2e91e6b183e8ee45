package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

func TestProblemOf(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
		code   code
		secret bool
	}{
		{actors.ErrUnknownKind, 422, "unknown_kind", false},
		{actors.ErrInvalid, 422, "invalid", false},
		{persistence.ErrInvalid, 422, "invalid", false},
		{actors.ErrKeyInFlight, 409, "key_in_flight", false},
		{&actors.KeyConflictError{Key: "k"}, 422, "key_conflict", false},
		{actors.ErrClosed, 503, "draining", false},
		{actors.ErrBusy, 503, "busy", false},
		{job.ErrTerminal, 409, "already_ended", false},
		{job.ErrNotAllowed, 409, "not_allowed", false},
		{job.ErrLimit, 413, "too_large", false},
		{persistence.ErrNotFound, 404, "not_found", false},
		{persistence.ErrFull, 503, "full", true},
		{persistence.ErrUnavailable, 503, "unavailable", true},
		{context.DeadlineExceeded, 503, "timeout", true},
		{&http.MaxBytesError{Limit: 7}, 413, "too_large", false},
		{errors.New("password=secret"), 500, "internal", true},
	} {
		p := problemOf(fmt.Errorf("dial 10.0.0.1: %w", c.err))
		if p.Status != c.status || p.Code != c.code || p.Title == "" || p.Type != "urn:troupe:problem:"+string(c.code) {
			t.Errorf("%v: %+v", c.err, p)
		}
		if c.secret != (p.Detail == "") {
			t.Errorf("%v shows %q", c.err, p.Detail)
		}
	}
}

func TestTheTableKnowsItsCodes(t *testing.T) {
	for _, row := range table {
		if meanings[row.code].status == 0 {
			t.Errorf("%v maps to %q, which means nothing", row.is, row.code)
		}
	}
}
