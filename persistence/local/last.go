package local

import (
	"container/list"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// MaxLast bounds the bytes of last states that a hub keeps: some ten thousand jobs. Those that were not published or read
// for the longest time go first; whoever misses one reads the Store.
const MaxLast = 64 << 20

// stateCost is what a kept state counts for besides its text.
const stateCost = 256

// lastStates is a map of bounded size.
type lastStates struct {
	max, size int
	byID      map[job.ID]*list.Element
	order     *list.List // of *lastState, newest use first
}

type lastState struct {
	id      job.ID
	version int64
	text    []byte
}

func (s *lastState) cost() int { return len(s.text) + stateCost }

func newLastStates(max int) *lastStates {
	return &lastStates{max: max, byID: make(map[job.ID]*list.Element), order: list.New()}
}

// put keeps the state unless it is older than what is kept, and says whether it did.
func (l *lastStates) put(id job.ID, version int64, text []byte) bool {
	if old := l.byID[id]; old != nil {
		if old.Value.(*lastState).version > version {
			return false
		}
		l.drop(old)
	}
	s := &lastState{id, version, text}
	l.byID[id] = l.order.PushFront(s)
	l.size += s.cost()
	for l.size > l.max {
		l.drop(l.order.Back())
	}
	return true
}

func (l *lastStates) get(id job.ID) []byte {
	e := l.byID[id]
	if e == nil {
		return nil
	}
	l.order.MoveToFront(e)
	return e.Value.(*lastState).text
}

func (l *lastStates) drop(e *list.Element) {
	s := l.order.Remove(e).(*lastState)
	delete(l.byID, s.id)
	l.size -= s.cost()
}
