package cluster

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// Static is a list of members for nodes that have nothing in common but a list of each other's addresses: a few on one machine, or
// on some that stay. Each node asks every other one whether it lives, over Remoting, and judges for itself: a member falls when it has
// not answered for its silence, or when nothing listens at its address any more.
//
// Until Bind it is alone. It implements persistence.Members; nothing of it is kept over a restart.
type Static struct {
	addresses []string

	mu       sync.Mutex
	r        *Remoting
	self     persistence.Member // empty before the first beat, and after it has left
	silence  time.Duration
	epoch    int64
	returned bool
	drainBy  string
	judge    time.Time                // nobody is declared dead before
	known    map[string]*acquaintance // by address
	fallen   map[string]persistence.Fallen
	quit     context.CancelFunc // nil before Bind
	done     chan struct{}
}

var _ persistence.Members = (*Static)(nil)

// acquaintance is what answers at an address.
type acquaintance struct {
	member persistence.Member // the last that it said; without a name if it never did, or has left
	heard  time.Time
	fell   bool
}

func (a *acquaintance) lives() bool { return a.member.Name != "" && !a.fell }

// NewStatic makes the list from the addresses (host:port) of the nodes' remoting; the node's own may be among them, so that all nodes can be
// given the same list. An error wraps persistence.ErrInvalid.
func NewStatic(addresses []string) (*Static, error) {
	if len(addresses) > persistence.MaxMembers {
		return nil, fmt.Errorf("a list of %d nodes, at most %d fit: %w", len(addresses), persistence.MaxMembers, persistence.ErrInvalid)
	}
	for _, address := range addresses {
		if host, port, err := split(address); err != nil || host == "" || port == 0 {
			return nil, fmt.Errorf("%q is not the host:port of a node: %w", address, persistence.ErrInvalid)
		}
	}
	list := slices.Clone(addresses)
	slices.Sort(list)
	return &Static{
		addresses: slices.Compact(list), epoch: 1,
		known: map[string]*acquaintance{}, fallen: map[string]persistence.Fallen{},
	}, nil
}

// Beat implements persistence.Members.
func (s *Static) Beat(_ context.Context, m persistence.Member, silence time.Duration) (persistence.Roll, error) {
	if !job.ValidName(m.Name) || silence < persistence.MinSilence || len(m.Info) > persistence.MaxMemberInfo {
		return persistence.Roll{}, fmt.Errorf("beat of %q with a silence of %s and %d bytes: %w", m.Name, silence, len(m.Info), persistence.ErrInvalid)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.self.Name != m.Name || s.self.Incarnation != m.Incarnation || s.self.Address != m.Address {
		s.epoch++
	}
	s.self, s.silence = m, silence
	roll := persistence.Roll{Epoch: s.epoch, Returned: s.returned, Fallen: len(s.fallen) > 0, DrainBy: s.drainBy}
	s.returned = false
	return roll, nil
}

// List implements persistence.Members: this node's own view.
func (s *Static) List(context.Context) ([]persistence.Member, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]persistence.Member, 0, len(s.known)+1)
	if s.self.Name != "" {
		self := s.self
		self.Seen = time.Now()
		list = append(list, self)
	}
	for _, a := range s.known {
		if a.lives() {
			m := a.member
			m.Seen = a.heard
			list = append(list, m)
		}
	}
	slices.SortFunc(list, func(a, b persistence.Member) int { return strings.Compare(a.Name, b.Name) })
	return list[:min(len(list), persistence.MaxMembers)], nil
}

// Fallen implements persistence.Members: those that this node holds for dead.
func (s *Static) Fallen(context.Context) ([]persistence.Fallen, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := slices.Collect(maps.Values(s.fallen))
	slices.SortFunc(list, func(a, b persistence.Fallen) int { return a.Since.Compare(b.Since) })
	return list[:min(len(list), persistence.MaxMembers)], nil
}

// Leave implements persistence.Members. Those that can't be told take the member for fallen later.
func (s *Static) Leave(ctx context.Context, name string) error {
	s.mu.Lock()
	n := notice{Name: name, Incarnation: s.self.Incarnation}
	if name != s.self.Name {
		n.Incarnation = 0
		for _, a := range s.known {
			if a.member.Name == name {
				n.Incarnation = a.member.Incarnation
			}
		}
	}
	s.leave(n)
	s.mu.Unlock()
	s.spread(ctx, opLeave, n)
	return nil
}

// Bury implements persistence.Members. It tells the others, and those that can't be told bury it themselves.
func (s *Static) Bury(ctx context.Context, name string) error {
	s.mu.Lock()
	_, there := s.fallen[name]
	delete(s.fallen, name)
	s.mu.Unlock()
	if there {
		s.spread(ctx, opBury, notice{Name: name})
	}
	return nil
}

// AskDrain implements persistence.Members.
func (s *Static) AskDrain(ctx context.Context, name, by string) error {
	s.mu.Lock()
	if name == s.self.Name && name != "" {
		s.drainBy = by
		s.mu.Unlock()
		return nil
	}
	r, at := s.r, ""
	for address, a := range s.known {
		if a.lives() && a.member.Name == name {
			at = address
		}
	}
	s.mu.Unlock()
	if at == "" {
		return fmt.Errorf("drain node %q: %w", name, persistence.ErrNotFound)
	}
	return s.post(ctx, r, opDrain, at, notice{Name: name, By: by})
}

// leave forgets a member. The list is locked.
func (s *Static) leave(n notice) {
	delete(s.fallen, n.Name)
	if s.self.Name == n.Name {
		s.self = persistence.Member{}
		s.epoch++
	}
	for _, a := range s.known {
		if a.member.Name == n.Name && a.member.Incarnation <= n.Incarnation {
			if a.lives() {
				s.epoch++
			}
			a.member, a.fell = persistence.Member{}, false
		}
	}
}
