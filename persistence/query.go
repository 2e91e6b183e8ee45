package persistence

import (
	"encoding/binary"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// Query selects jobs. Zero fields select all. All fields must match.
type Query struct {
	Statuses    []job.Status
	IDs         []job.ID // any of these
	Kind        string
	Queue       string
	Owner       string
	Tag         string
	Group       string
	Batch       string
	Fingerprint string         // of the failure
	Texts       []string       // each occurs in kind, failure message or payload, in any case
	Errors      []string       // each occurs in the failure's code or message, in any case
	Payload     []PayloadMatch // each holds
	// From and To are times of creation: From <= t < To. They hold for jobs whose id was made within IDSlack of the job.
	From, To time.Time
	// Lowest and Highest bound the ids: Lowest <= id <= Highest. A zero Highest is no bound.
	Lowest, Highest job.ID

	Before job.ID // keyset cursor: only older ids
	Limit  int    // 1 to MaxPage; 0 is DefaultPage

	// Bounded: where no index serves, the search ends after SearchSpan jobs or SearchTime, and the page may be cut short.
	Bounded bool
	// Payloads: the page has payloads, of at most MaxListedPayload bytes.
	Payloads bool
}

// Bounds of a page.
const (
	DefaultPage      = 50
	MaxPage          = 500
	MaxListedPayload = 4 << 10 // bytes
)

// IDSlack is how far the time in a job's id may be from the time of its creation.
const IDSlack = time.Minute

// Page is one page of jobs.
type Page struct {
	Jobs []job.Job
	// Next is the cursor of the next page; zero if this is the last.
	Next job.ID
	// Cut: a bounded search came to its end before the page was full. Next is where to go on.
	Cut bool
	// Omitted are jobs whose payloads were asked for and are too large.
	Omitted []job.ID
}

// Size is how many jobs the page may have.
func (q *Query) Size() int {
	if q.Limit <= 0 {
		return DefaultPage
	}
	return min(q.Limit, MaxPage)
}

// Range is all that the query says about ids, as lowest <= id < below. A zero below is no bound.
func (q *Query) Range() (lowest, below job.ID) {
	lowest, below = q.Lowest, q.Before
	lower := func(id job.ID) {
		if below.IsZero() || id.Compare(below) < 0 {
			below = id
		}
	}
	if !q.Highest.IsZero() {
		if after, ok := next(q.Highest); ok {
			lower(after)
		}
	}
	if !q.To.IsZero() {
		lower(firstID(q.To.Add(IDSlack + time.Millisecond)))
	}
	if !q.From.IsZero() {
		if id := firstID(q.From.Add(-IDSlack)); id.Compare(lowest) > 0 {
			lowest = id
		}
	}
	return lowest, below
}

// firstID is the least id of a time.
func firstID(at time.Time) (id job.ID) {
	ms := min(max(at.UnixMilli(), 0), 1<<48-1)
	binary.BigEndian.PutUint64(id[:8], uint64(ms)<<16)
	id[15] = 1 // not zero, which would be no bound
	return id
}

// next is the id after the given one, if there is one.
func next(id job.ID) (job.ID, bool) {
	for i := len(id) - 1; i >= 0; i-- {
		if id[i]++; id[i] != 0 {
			return id, true
		}
	}
	return id, false
}
