package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meta-ad-studio/troupe/persistence"
)

var _ persistence.Members = (*Members)(nil)

// Members is a persistence.Members on the Kubernetes API. It is safe for concurrent use.
type Members struct {
	config      Config
	credentials credentials
	clock       clock
	owed        atomic.Bool // a change was made, perhaps, and the roll was not touched since

	mu      sync.Mutex
	mine    map[string]*own // the members that beat here
	judging judging
	heard   word
}

// own is a member that beats through this handle.
type own struct {
	turn   chan struct{} // holds one: a member's beats take turns
	object *lease        // as the server has it, as far as we know; nil if unknown
	beaten bool          // it has beaten and has not left since
	last   time.Time
	roll   persistence.Roll // what was answered then
}

// word is what was found when the roll said that something had changed.
type word struct {
	version string // of the roll
	fallen  bool
}

// Open reads the configuration, and asks the server once, so that a missing right is known at the start. It fails with
// persistence.ErrUnavailable if the server can't be reached.
func Open(ctx context.Context, config Config) (*Members, error) {
	if err := config.complete(); err != nil {
		return nil, fmt.Errorf("open the list of members in kubernetes: %w", err)
	}
	m := &Members{config: config, credentials: credentials{tokenFile: config.TokenFile, caFile: config.CAFile}, mine: map[string]*own{}}
	m.judging.forget()
	if _, err := m.roll(ctx); err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

// Close releases the connections. Calls must have ended.
func (m *Members) Close() { m.credentials.close() }

// self is a member's place here, held by the caller until it calls done.
func (m *Members) self(ctx context.Context, name string) (me *own, done func(), err error) {
	m.mu.Lock()
	me = m.mine[name]
	if me == nil {
		me = &own{turn: make(chan struct{}, 1)}
		me.turn <- struct{}{}
		m.mine[name] = me
	}
	m.mu.Unlock()
	select {
	case <-me.turn:
		return me, func() { me.turn <- struct{}{} }, nil
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
}

// roll reads the version of the roll, making it at need.
func (m *Members) roll(ctx context.Context) (string, error) {
	var l lease
	err := m.ask(ctx, get, m.rollName(), nil, nil, &l)
	if !errors.Is(err, persistence.ErrNotFound) {
		return l.Metadata.ResourceVersion, err
	}
	l = lease{
		APIVersion: "coordination.k8s.io/v1", Kind: "Lease",
		Metadata: meta{Name: m.rollName(), Namespace: m.config.Namespace, Labels: map[string]string{"troupe-roll": m.config.Group}},
	}
	err = m.ask(ctx, create, "", nil, &l, &l)
	if errors.Is(err, errExists) {
		err = m.ask(ctx, get, m.rollName(), nil, nil, &l)
	}
	return l.Metadata.ResourceVersion, err
}

// touch changes the roll's version, if that is owed, and answers the version.
func (m *Members) touch(ctx context.Context) (string, error) {
	if !m.owed.Load() {
		return m.roll(ctx)
	}
	var l lease
	change := map[string]any{"metadata": map[string]any{"annotations": map[string]string{noteTouched: nonce()}}}
	m.owed.Store(false) // what is owed from now on is another change
	err := m.ask(ctx, patch, m.rollName(), nil, change, &l)
	if errors.Is(err, persistence.ErrNotFound) { // somebody removed it; a new one is a new version
		return m.roll(ctx)
	}
	if err != nil {
		m.owed.Store(true)
	}
	return l.Metadata.ResourceVersion, err
}

// changed notes what a write that may change the list came to. Its error passes through.
func (m *Members) changed(err error) error {
	if err == nil || errors.Is(err, persistence.ErrUnavailable) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		m.owed.Store(true)
	}
	return err
}

// epochOf makes a number of a version, which is a text to compare for being the same.
func epochOf(version string) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(version))
	return int64(h.Sum64() >> 1)
}

// anybodyFallen looks when the roll has another version than at the last time.
func (m *Members) anybodyFallen(ctx context.Context, version string) (bool, error) {
	m.mu.Lock()
	heard := m.heard
	m.mu.Unlock()
	if heard.version == version {
		return heard.fallen, nil
	}
	some, err := m.read(ctx, fallen)
	if err != nil {
		return false, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.heard = word{version, len(some) > 0}
	return len(some) > 0, nil
}
