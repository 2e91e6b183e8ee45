package job

import (
	"encoding/json"
	"fmt"
	"time"
)

// Cancel is a request to stop a job: who asked, why, and when. A life has the first that was made; a redrive clears it.
//
// What became of it follows from the status, see CancelState. A request reaches a job in one of two ways. Its holder, or whoever speaks for
// a job that waits, applies CancelRequested. And a Store keeps word of it on the row, outside the fence, from before that: so a job that a
// Store answers may have a request of which its status tells nothing yet, and whoever claims such a job finds it.
type Cancel struct {
	By     string    `json:"by,omitempty"`
	Reason string    `json:"reason,omitempty"`
	At     time.Time `json:"at,omitzero"`
}

// Bounds of a request to cancel, in bytes.
const (
	MaxCancelBy     = 128
	MaxCancelReason = 500
)

// NewCancel is a request as every store can keep it: texts are cut at their bounds, the time is in whole microseconds.
func NewCancel(by, reason string, at time.Time) *Cancel {
	return &Cancel{By: clean(by, MaxCancelBy), Reason: clean(reason, MaxCancelReason), At: clock(at)}
}

// Validate says what is out of bounds.
func (c *Cancel) Validate() error {
	if len(c.By) > MaxCancelBy {
		return fmt.Errorf("by: %d bytes are more than %d", len(c.By), MaxCancelBy)
	}
	if len(c.Reason) > MaxCancelReason {
		return fmt.Errorf("reason: %d bytes are more than %d", len(c.Reason), MaxCancelReason)
	}
	return nil
}

// Note is who asked and why, in words, for the job's history.
func (c *Cancel) Note() string {
	if c.By == "" {
		return c.Reason
	}
	return "by " + c.By + ifAny(": ", c.Reason)
}

// Text is the request as one text, not empty, for the column of a store. ParseCancel reads it.
func (c *Cancel) Text() string {
	data, err := json.Marshal(c)
	if err != nil { // a time beyond the year 9999
		return `{"by":"?"}`
	}
	return string(data)
}

// ParseCancel reads what Text wrote. Any other text that is not empty is the name of who asked, as it was once all that was kept.
func ParseCancel(text string) *Cancel {
	if text == "" {
		return nil
	}
	c := new(Cancel)
	if text[0] != '{' || json.Unmarshal([]byte(text), c) != nil {
		return NewCancel(text, "", time.Time{})
	}
	return NewCancel(c.By, c.Reason, c.At)
}

// CancelState is what has become of a request to cancel.
type CancelState string

const (
	// CancelNone: nobody has asked.
	CancelNone CancelState = ""
	// CancelRequest: somebody has asked, and the job has not ended yet. It is known durably; of a running job the handler's context is
	// ended, or will be once its node hears of it.
	CancelRequest CancelState = "requested"
	// CancelConfirmed: the job has ended as cancelled.
	CancelConfirmed CancelState = "confirmed"
	// CancelTooLate: the job has ended otherwise, although somebody had asked.
	CancelTooLate CancelState = "too_late"
)

// CancelState follows from the status and from whether somebody has asked.
func (j *Job) CancelState() CancelState {
	switch {
	case j.Status == Cancelled:
		return CancelConfirmed
	case j.Status == Cancelling:
		return CancelRequest
	case j.Cancel == nil:
		return CancelNone
	case j.Status.Terminal():
		return CancelTooLate
	}
	return CancelRequest
}

// unheard says whether somebody has asked for a cancel of which the job's rev does not tell: word of it came to the row behind the holder's
// back.
func (j *Job) unheard() bool {
	return j.Cancel != nil && j.Status != Cancelling && j.Status != Cancelled
}
