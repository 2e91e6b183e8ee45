package job

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// Policy bounds what a job may cost: how often it is tried, how long it waits between attempts and how long one attempt may run.
type Policy struct {
	// MaxAttempts is how often the handler may fail before the job is a dead letter; 1 to 100.
	MaxAttempts int `json:"max_attempts"`
	// MaxCrashes is how often a node may die, or lose its lease, under the job and the job still be run again: one crash
	// more makes it a dead letter; 1 to 100.
	MaxCrashes int `json:"max_crashes"`
	// Backoff spaces the attempts.
	Backoff Backoff `json:"backoff"`
	// Timeout ends one attempt; 0 is no limit, at most 7 days.
	Timeout Duration `json:"timeout,omitzero"`
}

// Backoff is exponential, jittered over the full width of each step, up to a ceiling: the wait after the n-th failure is
// uniform over (Base·2^(n-2), Base·2^(n-1)], the first over (0, Base]. So the waits of one job grow up to
// the ceiling, and the waits of many jobs that failed together spread. At the ceiling the wait is uniform over (Max/2, Max].
// No wait is shorter than 1 ms.
type Backoff struct {
	// Base is the longest first wait; 1 ms to 1 h.
	Base Duration `json:"base"`
	// Max is the ceiling; Base to 24 h.
	Max Duration `json:"max"`
}

// Bounds of a policy, and what stands where a submission says nothing.
const (
	DefaultMaxAttempts = 3
	DefaultMaxCrashes  = 3
	DefaultBackoffBase = time.Second
	DefaultBackoffMax  = time.Hour

	MaxMaxAttempts = 100
	MaxTimeout     = 7 * 24 * time.Hour
	MaxBackoffBase = time.Hour
	MaxBackoffMax  = 24 * time.Hour
)

// DefaultPolicy is what a job gets whose submission and queue say nothing.
func DefaultPolicy() Policy {
	return Policy{
		MaxAttempts: DefaultMaxAttempts,
		MaxCrashes:  DefaultMaxCrashes,
		Backoff:     Backoff{Base: Duration(DefaultBackoffBase), Max: Duration(DefaultBackoffMax)},
	}
}

// Merge fills what p leaves out (zero values) from defaults.
func (p Policy) Merge(defaults Policy) Policy {
	if p.MaxAttempts == 0 {
		p.MaxAttempts = defaults.MaxAttempts
	}
	if p.MaxCrashes == 0 {
		p.MaxCrashes = defaults.MaxCrashes
	}
	if p.Backoff.Base == 0 {
		p.Backoff.Base = defaults.Backoff.Base
	}
	if p.Backoff.Max == 0 && defaults.Backoff.Max != 0 { // defaults that say nothing leave it to the next ones
		p.Backoff.Max = max(defaults.Backoff.Max, p.Backoff.Base)
	}
	if p.Timeout == 0 {
		p.Timeout = defaults.Timeout
	}
	return p
}

// Validate says what is out of bounds, naming the field.
func (p Policy) Validate() error {
	switch {
	case p.MaxAttempts < 1 || p.MaxAttempts > MaxMaxAttempts:
		return fmt.Errorf("max_attempts: %d is not within 1 and %d", p.MaxAttempts, MaxMaxAttempts)
	case p.MaxCrashes < 1 || p.MaxCrashes > MaxMaxAttempts:
		return fmt.Errorf("max_crashes: %d is not within 1 and %d", p.MaxCrashes, MaxMaxAttempts)
	case p.Backoff.Base < Duration(time.Millisecond) || p.Backoff.Base > Duration(MaxBackoffBase):
		return fmt.Errorf("backoff.base: %s is not within 1ms and %s", p.Backoff.Base, MaxBackoffBase)
	case p.Backoff.Max < p.Backoff.Base || p.Backoff.Max > Duration(MaxBackoffMax):
		return fmt.Errorf("backoff.max: %s is not within backoff.base and %s", p.Backoff.Max, MaxBackoffMax)
	case p.Timeout < 0 || p.Timeout > Duration(MaxTimeout):
		return fmt.Errorf("timeout: %s is not within 0 and %s", p.Timeout, MaxTimeout)
	}
	return nil
}

// Delay is the wait after the given number of failures (1 or more). Jitter places it within the step: 0 is its
// short end, values toward 1 its long end; what lies outside [0, 1] is moved to the nearer end.
func (b Backoff) Delay(failures int, jitter float64) time.Duration {
	low, high, ceiling := time.Duration(0), time.Duration(b.Base), time.Duration(b.Max)
	for range failures - 1 {
		if high > ceiling/2 { // doubling would pass the ceiling
			low, high = ceiling/2, ceiling
			break
		}
		low, high = high, high*2
	}
	if high > ceiling {
		low, high = ceiling/2, ceiling
	}
	if !(jitter >= 0) { // also true of NaN
		jitter = 0
	}
	jitter = min(jitter, 1)
	return max(low+time.Duration(jitter*float64(high-low)), time.Millisecond)
}

// Duration is a time.Duration that is written in JSON as text ("1.5s", "2h") and read from text or from a number of seconds.
type Duration time.Duration

// String is the Go form: "1.5s".
func (d Duration) String() string { return time.Duration(d).String() }

// IsZero says whether the duration is 0.
func (d Duration) IsZero() bool { return d == 0 }

// MarshalJSON implements json.Marshaler.
func (d Duration) MarshalJSON() ([]byte, error) { return []byte(`"` + d.String() + `"`), nil }

// UnmarshalJSON implements json.Unmarshaler. A null changes nothing.
func (d *Duration) UnmarshalJSON(data []byte) error {
	text := string(data)
	if text == "null" {
		return nil
	}
	if len(text) >= 2 && text[0] == '"' {
		parsed, err := time.ParseDuration(text[1 : len(text)-1])
		if err != nil {
			return fmt.Errorf("duration %.40s: want text such as \"1.5s\" or a number of seconds", text)
		}
		*d = Duration(parsed)
		return nil
	}
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil || !(math.Abs(seconds) <= 1e9) {
		return fmt.Errorf("duration %.40s: want text such as \"1.5s\" or a number of seconds", text)
	}
	*d = Duration(math.Round(seconds * float64(time.Second)))
	return nil
}
