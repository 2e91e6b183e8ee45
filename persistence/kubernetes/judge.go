package kubernetes

import (
	"context"
	"errors"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/meta-ad-studio/troupe/persistence"
)

const (
	judges    = 3                      // members that read the list at every pace,
	readLeast = 200 * time.Millisecond // or every so often, if that is longer
	perRead   = 10                     // the others read it in as many times that as there are times so many members,
	readEvery = 30 * time.Second       // but at least so often
	steadyGap = 2 * time.Second        // between two answers; if it is longer, nobody knows how the members were meanwhile
)

// judging is what a handle has seen of the members, by its own monotonic clock.
type judging struct {
	steady  time.Time // since when the server has answered every beat
	answer  time.Time // the last
	read    time.Time // when the list was read last
	wait    time.Duration
	seen    map[string]sighting // by object
	crowd   int                 // members that live, when last counted
	counted bool
}

// sighting is since when an object has not changed.
type sighting struct {
	version string
	since   time.Time
}

func (j *judging) forget() {
	j.seen, j.read, j.steady, j.answer = map[string]sighting{}, time.Time{}, time.Time{}, time.Time{}
}

// answered notes that a beat was answered, or failed: then nothing that was seen before counts any more.
func (j *judging) answered(ok bool, pace time.Duration) {
	now := time.Now()
	if !ok || !j.answer.IsZero() && now.Sub(j.answer) > max(steadyGap, 2*pace) {
		j.forget()
	}
	if !ok {
		return
	}
	if j.steady.IsZero() {
		j.steady = now
	}
	j.answer = now
}

// judge reads the list if it is time to, and declares dead whoever has been silent for too long.
func (m *Members) judge(ctx context.Context, self string) error {
	now := time.Now()
	m.mu.Lock()
	if !m.judging.answer.IsZero() && now.Sub(m.judging.answer) > max(steadyGap, 2*m.config.Pace) {
		m.judging.forget() // this node was stopped, or the server did not answer
	}
	due := now.Sub(m.judging.read) >= m.judging.wait
	steady := m.judging.steady
	if due {
		m.judging.read = now // other beats need not read it, too
	}
	m.mu.Unlock()
	if !due {
		return nil
	}
	objects, err := m.read(ctx, "")
	if err != nil {
		return err
	}
	for _, l := range m.sight(objects, self, now, steady) {
		if err := m.declare(ctx, l); err != nil {
			return err
		}
	}
	return nil
}

// sight compares what was read with what was seen before, and answers whose silence is over.
func (m *Members) sight(objects []lease, self string, began, steady time.Time) (dead []*lease) {
	ended := time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	j := &m.judging
	seen := make(map[string]sighting, len(objects))
	var living []string
	for i := range objects {
		l := &objects[i]
		if l.fell() {
			continue
		}
		living = append(living, l.Spec.HolderIdentity)
		was, known := j.seen[l.Metadata.Name]
		if !known || was.version != l.Metadata.ResourceVersion {
			was = sighting{l.Metadata.ResourceVersion, ended}
		}
		seen[l.Metadata.Name] = was
		silence := l.silence()
		if l.Spec.HolderIdentity != self && !steady.IsZero() && began.Sub(was.since) > silence && began.Sub(steady) > silence {
			dead = append(dead, l)
		}
	}
	j.seen, j.read, j.crowd, j.counted = seen, began, len(living), true
	j.wait = max(m.config.Pace, readLeast)
	if !chosen(living, self) {
		j.wait = min(max(j.wait, j.wait*time.Duration(len(living))/perRead), readEvery)
		j.wait += rand.N(j.wait/4 + 1)
	}
	return dead
}

// chosen says whether the member is one of the judges.
func chosen(living []string, self string) bool {
	hash := func(name string) uint64 {
		h := fnv.New64a()
		_, _ = h.Write([]byte(name))
		return h.Sum64()
	}
	mine, before := hash(self), 0
	for _, name := range living {
		if name != self && hash(name) < mine {
			before++
		}
	}
	return before < judges || !slices.Contains(living, self)
}

// declare marks the object, if it is still as it was read.
func (m *Members) declare(ctx context.Context, l *lease) error {
	since := m.clock.now()
	if earliest := l.renewed().Add(l.silence()); since.Before(earliest) {
		since = earliest // it beat by a clock that is ahead of what we know of the server's
	}
	change := map[string]any{"metadata": map[string]any{
		"resourceVersion": l.Metadata.ResourceVersion,
		"labels":          map[string]string{labelState: fallen},
		"annotations":     map[string]any{noteFell: since.Format(time.RFC3339Nano), noteDrain: nil},
	}}
	err := m.changed(m.ask(ctx, patch, l.Metadata.Name, nil, change, nil))
	if errors.Is(err, errConflict) || errors.Is(err, persistence.ErrNotFound) {
		return nil
	}
	return err
}
