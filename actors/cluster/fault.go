package cluster

import (
	"context"
	"errors"
	"strings"

	"github.com/meta-ad-studio/troupe/persistence"
)

// faults are the errors that are the same at both ends.
var faults = []struct {
	code string
	kind error
}{
	{"unavailable", persistence.ErrUnavailable},
	{"full", persistence.ErrFull},
	{"not_found", persistence.ErrNotFound},
	{"invalid", persistence.ErrInvalid},
	{"unavailable", context.DeadlineExceeded},
	{"unavailable", context.Canceled},
}

// tell makes an error ready to travel.
func tell(err error) *fault {
	f := &fault{Code: "failed", Text: err.Error()}
	if len(f.Text) > maxFault {
		f.Text = f.Text[:maxFault]
	}
	f.Text = strings.ToValidUTF8(f.Text, "")
	for _, known := range faults {
		if errors.Is(err, known.kind) {
			f.Code = known.code
			break
		}
	}
	return f
}

// told is an error that a peer answered. It wraps the error of persistence that it was there, if any.
type told struct {
	fault
	kind error
}

func (f *fault) err() error {
	t := &told{fault: *f}
	for _, known := range faults {
		if known.code == f.Code {
			t.kind = known.kind
			break
		}
	}
	return t
}

// Error implements error.
func (t *told) Error() string { return t.Text }

// Unwrap gives errors.Is what it was.
func (t *told) Unwrap() error { return t.kind }
