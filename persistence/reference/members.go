package reference

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/meta-ad-studio/troupe/persistence"
)

// Members is the contract of that name over a map in memory. Death is told by silence alone.
type Members struct {
	mu      sync.Mutex
	fault   string
	away    bool
	members map[string]*present
	dead    map[string]persistence.Fallen // declared dead, and not back yet
	buried  map[string]bool               // of the dead
	epoch   int64
	last    time.Time // beat of anybody
	since   time.Time // when the list began to be well
}

var _ persistence.Members = (*Members)(nil)

type present struct {
	persistence.Member
	silence time.Duration
	drainBy string
}

// pause without a beat of anybody is a time in which the list was not well.
const pause = 2 * time.Second

// NewMembers makes a list without members.
func NewMembers(fault string) *Members {
	return &Members{fault: fault, members: make(map[string]*present), dead: make(map[string]persistence.Fallen), buried: make(map[string]bool)}
}

// Away makes the list unavailable, or lets it be there again.
func (l *Members) Away(away bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.away = away
}

func (l *Members) lock(ctx context.Context) (func(), error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l.mu.Lock()
	if l.away {
		l.mu.Unlock()
		return nil, fmt.Errorf("the list is away: %w", persistence.ErrUnavailable)
	}
	return l.mu.Unlock, nil
}

// Beat implements persistence.Members.
func (l *Members) Beat(ctx context.Context, m persistence.Member, silence time.Duration) (persistence.Roll, error) {
	if err := persistence.CheckMember(&m, silence); err != nil {
		return persistence.Roll{}, err
	}
	unlock, err := l.lock(ctx)
	if err != nil {
		return persistence.Roll{}, err
	}
	defer unlock()
	now := time.Now()
	if now.Sub(l.last) > pause && l.fault != "judges after a pause" {
		l.since = now
	}
	l.last = now
	known := l.members[m.Name]
	if known == nil {
		if len(l.members) >= persistence.MaxMembers && l.fault != "no bound" {
			return persistence.Roll{}, fmt.Errorf("%d members: %w", len(l.members), persistence.ErrFull)
		}
		known = &present{}
		l.members[m.Name] = known
		l.epoch++
	} else if known.Incarnation != m.Incarnation || known.Address != m.Address || l.fault == "epochs of nothing" {
		l.epoch++
	}
	m.Seen, m.Info = now.UTC(), bytes.Clone(m.Info)
	if known.silence == 0 || l.fault != "the first silence stands" {
		known.silence = silence
	}
	known.Member = m
	_, returned := l.dead[m.Name]
	delete(l.dead, m.Name)
	if l.fault == "the buried are forgotten" && l.buried[m.Name] {
		returned = false
	}
	delete(l.buried, m.Name)
	l.judge(now)
	roll := persistence.Roll{Epoch: l.epoch, Returned: returned, Fallen: len(l.dead) > len(l.buried), DrainBy: known.drainBy}
	return roll, nil
}

// judge declares dead who was silent for too long.
func (l *Members) judge(now time.Time) {
	for name, m := range l.members {
		if now.Sub(m.Seen) <= m.silence || now.Sub(l.since) <= m.silence {
			continue
		}
		delete(l.members, name)
		delete(l.buried, name)
		l.dead[name] = persistence.Fallen{Name: name, Since: now.UTC(), Info: m.Info}
		l.epoch++
	}
}

// Leave implements persistence.Members.
func (l *Members) Leave(ctx context.Context, name string) error {
	unlock, err := l.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if l.members[name] != nil {
		l.epoch++
	}
	delete(l.members, name)
	if l.fault != "the fallen can't leave" {
		delete(l.dead, name)
		delete(l.buried, name)
	}
	return nil
}

// List implements persistence.Members.
func (l *Members) List(ctx context.Context) ([]persistence.Member, error) {
	unlock, err := l.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	var all []persistence.Member
	for _, m := range l.members {
		all = append(all, m.Member)
	}
	slices.SortFunc(all, func(a, b persistence.Member) int { return cmp.Compare(a.Name, b.Name) })
	return all, nil
}

// Fallen implements persistence.Members.
func (l *Members) Fallen(ctx context.Context) ([]persistence.Fallen, error) {
	unlock, err := l.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	var all []persistence.Fallen
	for name, f := range l.dead {
		if !l.buried[name] {
			all = append(all, f)
		}
	}
	slices.SortFunc(all, func(a, b persistence.Fallen) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.Name, b.Name))
	})
	return all[:min(len(all), persistence.MaxMembers)], nil
}

// Bury implements persistence.Members.
func (l *Members) Bury(ctx context.Context, name string) error {
	unlock, err := l.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if _, dead := l.dead[name]; dead {
		l.buried[name] = true
	}
	return nil
}

// AskDrain implements persistence.Members.
func (l *Members) AskDrain(ctx context.Context, name, by string) error {
	if err := persistence.CheckDrain(name, by); err != nil {
		return err
	}
	unlock, err := l.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	m := l.members[name]
	if m == nil {
		return fmt.Errorf("member %s: %w", name, persistence.ErrNotFound)
	}
	m.drainBy = by
	return nil
}
