package storetest

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// model is what one queue of an inbox must be, in the plainest form. It never looks at a clock: whether a lease has ended or
// a due time has come is said by who drives it.
type model struct {
	jobs map[job.ID]*modelJob
	dead map[job.ID]bool
	keys map[string]modelKey
	// front and back are the ranks of the next job put there.
	front, back int
}

type place int

const (
	waiting place = iota + 1
	delayed
	leased
	parked
)

// modelJob is one job that the inbox knows. Where the contract leaves open in what order jobs come to wait, they have ranks
// from low to high that overlap: one job is before another if its high is below the other's low.
type modelJob struct {
	persistence.Entry // with token and crashes as they are now
	place             place
	low, high         int
	node              string
	name              string // under which it is parked
	ended             bool   // the lease is over as soon as anybody looks
	cancel            bool
}

type modelKey struct {
	holder      job.ID
	fingerprint string
}

func newModel() *model {
	return &model{jobs: make(map[job.ID]*modelJob), dead: make(map[job.ID]bool), keys: make(map[string]modelKey)}
}

// ids lists the jobs in a place, or all, in the order of their ids.
func (m *model) ids(p place) []job.ID {
	ids := slices.SortedFunc(maps.Keys(m.jobs), job.ID.Compare)
	return slices.DeleteFunc(ids, func(id job.ID) bool { return p != 0 && m.jobs[id].place != p })
}

func (m *model) depth() persistence.Depth {
	d := persistence.Depth{
		Waiting: int64(len(m.ids(waiting))), Leased: int64(len(m.ids(leased))), Delayed: int64(len(m.ids(delayed))), Dead: int64(len(m.dead)),
	}
	for _, id := range m.ids(parked) {
		if d.Parked == nil {
			d.Parked = make(map[string]int64)
		}
		d.Waiting++
		d.Parked[m.jobs[id].name]++
	}
	return d
}

// takeable lists the parked jobs that a node can take that says so.
func (m *model) takeable(can []string) []job.ID {
	return slices.DeleteFunc(m.ids(parked), func(id job.ID) bool { return !slices.Contains(can, m.jobs[id].name) })
}

func (j *modelJob) toBack(m *model) {
	j.place, j.low, j.high = waiting, m.back, m.back
	m.back++
}

// enqueue takes one entry; a due time ahead means that it has not come when anybody looks.
func (m *model) enqueue(e persistence.Entry, ahead bool) persistence.Enqueued {
	if e.Key != nil {
		k := e.Key.Scope + "\x00" + e.Key.Key
		if held, taken := m.keys[k]; taken && held.holder != e.ID {
			return persistence.Enqueued{Holder: held.holder, Fingerprint: held.fingerprint}
		}
		m.keys[k] = modelKey{e.ID, e.Key.Fingerprint}
	}
	if known := m.jobs[e.ID]; known != nil && known.Life >= e.Life {
		return persistence.Enqueued{Accepted: true}
	}
	j := &modelJob{Entry: e, place: delayed}
	m.jobs[e.ID] = j
	if !ahead {
		j.toBack(m)
	}
	return persistence.Enqueued{Accepted: true}
}

// claim checks what a claim gave and leases it.
func (m *model) claim(node string, ask persistence.Ask, ends bool, got []persistence.Claim) error {
	want := min(ask.Max, len(m.ids(waiting))+len(m.takeable(ask.Can)))
	if ask.Limit > 0 {
		want = max(0, min(want, ask.Limit-len(m.ids(leased))))
	}
	if len(got) != want {
		return fmt.Errorf("%d claims, want %d", len(got), want)
	}
	for i, c := range got {
		j := m.jobs[c.ID]
		if j == nil || j.place != waiting && !slices.Contains(m.takeable(ask.Can), c.ID) {
			return fmt.Errorf("claim %d: job %s does not wait for this node", i, c.ID)
		}
		for _, id := range m.takeable(ask.Can) {
			other := m.jobs[id]
			if j.place == waiting || j.name == other.name && (other.Priority < j.Priority || other.Priority == j.Priority && id.Compare(c.ID) < 0) {
				return fmt.Errorf("claim %d: job %s was given before the parked job %s", i, c.ID, id)
			}
		}
		for _, id := range m.ids(waiting) {
			if other := m.jobs[id]; j.place == waiting && (other.Priority < j.Priority || other.Priority == j.Priority && other.high < j.low) {
				return fmt.Errorf("claim %d: job %s was given before job %s", i, c.ID, id)
			}
		}
		j.place, j.node, j.ended = leased, node, ends
		j.Token++
		if c.Token != j.Token || c.Life != j.Life || c.Crashes != j.Crashes || c.CancelRequested != j.cancel || !bytes.Equal(c.Envelope, j.Envelope) {
			return fmt.Errorf("claim %d is %+v, want token %d, crashes %d, cancel %v, envelope %q", i, c, j.Token, j.Crashes, j.cancel, j.Envelope)
		}
	}
	return nil
}

func (m *model) holds(l persistence.Lease) bool {
	j := m.jobs[l.ID]
	return j != nil && j.place == leased && j.Token == l.Token && j.node == l.Node
}

func (m *model) renew(l persistence.Lease, ends bool) persistence.LeaseState {
	switch {
	case m.holds(l):
		m.jobs[l.ID].ended = ends
		return persistence.Held
	case m.jobs[l.ID] != nil:
		return persistence.Lost
	}
	return persistence.Forgotten
}

func (m *model) settle(s persistence.Settlement) bool {
	if !m.holds(s.Lease) {
		return false
	}
	j := m.jobs[s.Lease.ID]
	switch s.Verb {
	case persistence.Dead:
		m.dead[s.Lease.ID] = true
		delete(m.jobs, s.Lease.ID)
	case persistence.Ack:
		delete(m.jobs, s.Lease.ID)
	case persistence.Delay:
		j.place = delayed
	case persistence.Return:
		j.place, j.low, j.high = waiting, m.front, m.front
	case persistence.Park:
		j.place, j.name = parked, s.For
	}
	return true
}

// nextFront begins a group of jobs that go to the front together.
func (m *model) nextFront() { m.front-- }

func (m *model) restore(e persistence.Entry, node string, ends bool) bool {
	if m.jobs[e.ID] != nil {
		return false
	}
	m.jobs[e.ID] = &modelJob{Entry: e, place: leased, node: node, ended: ends}
	return true
}

// ended lists the leases that are over.
func (m *model) ended() []job.ID {
	return slices.DeleteFunc(m.ids(leased), func(id job.ID) bool { return !m.jobs[id].ended })
}

// reap checks what was reaped and returns it to the front.
func (m *model) reap(got []job.ID) error {
	m.nextFront()
	for _, id := range got {
		j := m.jobs[id]
		if j == nil || j.place != leased || !j.ended {
			return fmt.Errorf("job %s was reaped, but its lease has not ended", id)
		}
		j.place, j.low, j.high = waiting, m.front, m.front
		j.Crashes++
	}
	return nil
}

// reapHolder checks what was reaped of a node and returns it to the front.
func (m *model) reapHolder(node string, got []job.ID) error {
	m.nextFront()
	for _, id := range got {
		j := m.jobs[id]
		if j == nil || j.place != leased || j.node != node {
			return fmt.Errorf("job %s was reaped, which %s does not hold", id, node)
		}
		j.place, j.low, j.high = waiting, m.front, m.front
		j.Crashes++
	}
	return nil
}

// due moves delayed jobs to the back: somewhere behind all that waited at the given rank.
func (m *model) due(ids []job.ID, since int) {
	for _, id := range ids {
		j := m.jobs[id]
		j.place, j.low, j.high = waiting, since, m.back
	}
	m.back++
}

func (m *model) hasten(tokens map[job.ID]int64) {
	for id, token := range tokens {
		if j := m.jobs[id]; j != nil && j.place == delayed {
			j.place, j.low, j.high = waiting, math.MinInt, math.MaxInt // the contract does not say where
			j.Token = max(j.Token, token)
		}
	}
}

func (m *model) remove(ids []job.ID) {
	for _, id := range ids {
		delete(m.dead, id)
		if j := m.jobs[id]; j != nil && j.place != leased {
			delete(m.jobs, id)
		}
	}
}
