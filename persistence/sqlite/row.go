package sqlite

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// row is one row of an answer. Its methods read the n-th column as the schema declares it; NULL is the zero value.
type row []driver.Value

func (r row) int(n int) int { return int(r.int64(n)) }

func (r row) int64(n int) int64 {
	v, _ := r[n].(int64)
	return v
}

func (r row) text(n int) string {
	v, _ := r[n].(string)
	return v
}

func (r row) blob(n int) []byte {
	v, _ := r[n].([]byte)
	return v
}

func (r row) id(n int) job.ID {
	var id job.ID
	copy(id[:], r.blob(n))
	return id
}

func (r row) time(n int) time.Time {
	v, ok := r[n].(int64)
	if !ok {
		return time.Time{}
	}
	return time.UnixMicro(v).UTC()
}

func (r row) document(n int) json.RawMessage {
	v, ok := r[n].(string)
	if !ok {
		return nil
	}
	return json.RawMessage(v)
}

// decode reads a document into value; NULL leaves it as it is.
func (r row) decode(n int, value any) error {
	v, ok := r[n].(string)
	if !ok {
		return nil
	}
	if err := json.Unmarshal([]byte(v), value); err != nil {
		return fmt.Errorf("column %d: %w", n, err)
	}
	return nil
}

// The forms in which values are bound.

func micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

func textOrNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func documentOrNull(d json.RawMessage) any {
	if len(d) == 0 {
		return nil
	}
	return string(d)
}
