package sample

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// maxMS is the longest that a sample takes: a day, in milliseconds.
const maxMS = int(24 * time.Hour / time.Millisecond)

// bind decodes the payload into what has the defaults. No payload leaves them.
func bind(h hold, payload any) error {
	data := h.Record().Payload
	if len(data) == 0 {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(payload); err != nil {
		return job.Permanent(fmt.Errorf("payload: %w", err))
	}
	return nil
}

func within(field string, n, low, high int) error {
	if n < low || n > high {
		return job.Permanent(fmt.Errorf("payload: %s: %d is not within %d and %d", field, n, low, high))
	}
	return nil
}
