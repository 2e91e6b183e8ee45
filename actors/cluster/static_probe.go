package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/meta-ad-studio/troupe/persistence"
)

// How the others are asked.
const (
	probeEvery  = time.Second
	probeWithin = time.Second
	// probesAtOnce bounds how many are asked at once.
	probesAtOnce = 16
	// refusedFor is for how long a member must not have been heard of that nothing listens for any more, to be held for dead.
	refusedFor = 1200 * time.Millisecond
	// pausedFor is by how much longer than it should a step may take before this node is held for the one that was away.
	pausedFor = time.Second
)

// Operations of a static list. They are for whoever is at the address.
const (
	opMember = "member"
	opLeave  = "leave"
	opBury   = "bury"
	opDrain  = "drain"
)

// question asks a node who it is.
type question struct {
	// Fell is the incarnation of the asked that the asker holds for dead, if it does.
	Fell int64 `json:"fell,omitempty"`
}

// notice is what else is told to a node.
type notice struct {
	Name        string `json:"name"`
	Incarnation int64  `json:"incarnation,omitempty"`
	By          string `json:"by,omitempty"`
}

// Bind lets the list speak over a remoting, from now until Close. It is called once.
func (s *Static) Bind(r *Remoting) {
	ctx, quit := context.WithCancel(context.Background())
	s.mu.Lock()
	s.r, s.quit, s.done = r, quit, make(chan struct{})
	s.mu.Unlock()
	r.mu.Lock()
	r.internal[opMember] = s.onMember
	r.internal[opLeave] = s.onNotice(s.leave)
	r.internal[opBury] = s.onNotice(func(n notice) { delete(s.fallen, n.Name) })
	r.internal[opDrain] = s.onDrain
	r.mu.Unlock()
	go s.run(ctx)
}

// Close ends the asking. It does not close the remoting.
func (s *Static) Close() {
	s.mu.Lock()
	quit, done := s.quit, s.done
	s.mu.Unlock()
	if quit != nil {
		quit()
		<-done
	}
}

func (s *Static) run(ctx context.Context) {
	defer close(s.done)
	for {
		s.round(ctx)
		rest := time.Now()
		tick := time.NewTimer(probeEvery)
		select {
		case <-tick.C:
		case <-ctx.Done():
			tick.Stop()
			return
		}
		s.slept(time.Since(rest) - probeEvery)
	}
}

// slept hears by how much longer than it should a step has taken. If this node was away, nobody is judged before everybody had the time
// to answer.
func (s *Static) slept(late time.Duration) {
	if late > pausedFor {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.judge = time.Now().Add(s.patience())
	}
}

// patience is how long a member may be silent. The list is locked.
func (s *Static) patience() time.Duration { return max(s.silence, persistence.MinSilence) }

// round asks everybody once.
func (s *Static) round(ctx context.Context) {
	var wait sync.WaitGroup
	turns := make(chan struct{}, probesAtOnce)
	for _, address := range s.addresses {
		if address == s.r.Address() {
			continue
		}
		turns <- struct{}{}
		wait.Go(func() {
			defer func() { <-turns }()
			s.probe(ctx, address)
		})
	}
	wait.Wait()
}

func (s *Static) probe(ctx context.Context, address string) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, probeWithin)
	defer cancel()
	s.mu.Lock()
	a := s.known[address]
	if a == nil {
		a = new(acquaintance)
		s.known[address] = a
	}
	var q question
	if a.fell {
		q.Fell = a.member.Incarnation
	}
	s.mu.Unlock()
	m, err := s.question(ctx, address, q)
	if ctx.Err() == context.Canceled {
		return
	}
	refused := err != nil && refuses(ctx, address)
	s.slept(time.Since(began) - probeWithin)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.heard(a, m, address)
		return
	}
	silent := time.Since(a.heard)
	if a.lives() && time.Now().After(s.judge) && (silent > s.patience() || refused && silent > refusedFor) {
		s.fell(a)
	}
}

func (s *Static) question(ctx context.Context, address string, q question) (m persistence.Member, err error) {
	body, err := json.Marshal(q)
	if err != nil {
		return m, err
	}
	answer, err := s.r.ask(ctx, opMember, party{}, address, body)
	if err == nil {
		err = json.Unmarshal(answer, &m)
	}
	if err == nil && (m.Name == "" || len(m.Info) > persistence.MaxMemberInfo) {
		err = errors.New("it does not say who it is")
	}
	return m, err
}

// refuses says whether it is certain that nothing listens at an address.
func refuses(ctx context.Context, address string) bool {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err == nil {
		_ = conn.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}

// heard notes who has answered. The list is locked.
func (s *Static) heard(a *acquaintance, m persistence.Member, address string) {
	if m.Name == s.self.Name {
		return // this node itself, under another of its addresses
	}
	if m.Address == "" {
		m.Address = address
	}
	old := a.member
	switch {
	case old.Name != "" && old.Name != m.Name && !a.fell:
		s.fell(a) // another has taken its address, so its process is gone
		s.epoch++
	case old.Name != m.Name || a.fell || old.Incarnation != m.Incarnation || old.Address != m.Address:
		s.epoch++
	}
	delete(s.fallen, m.Name)
	a.member, a.heard, a.fell = m, time.Now(), false
	for _, other := range s.known { // a node that has moved is at its new address only
		if other != a && other.member.Name == m.Name && other.member.Incarnation < m.Incarnation {
			other.member, other.fell = persistence.Member{}, false
		}
	}
}

// fell declares a member dead. The list is locked.
func (s *Static) fell(a *acquaintance) {
	a.fell = true
	s.fallen[a.member.Name] = persistence.Fallen{Name: a.member.Name, Since: time.Now(), Info: a.member.Info}
	s.epoch++
}

// onMember answers who this node is.
func (s *Static) onMember(_ context.Context, _ party, request []byte) ([]byte, error) {
	var q question
	if err := json.Unmarshal(request, &q); err != nil {
		return nil, fmt.Errorf("%w: %w", persistence.ErrInvalid, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.self.Name == "" {
		return nil, fmt.Errorf("this node has not begun, or has left: %w", persistence.ErrUnavailable)
	}
	if q.Fell != 0 && q.Fell == s.self.Incarnation {
		s.returned = true
	}
	return json.Marshal(s.self)
}

func (s *Static) onNotice(do func(notice)) handler {
	return func(_ context.Context, _ party, request []byte) ([]byte, error) {
		var n notice
		if err := json.Unmarshal(request, &n); err != nil {
			return nil, fmt.Errorf("%w: %w", persistence.ErrInvalid, err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if n.Name != s.self.Name { // nobody sends this node away
			do(n)
		}
		return nil, nil
	}
}

func (s *Static) onDrain(_ context.Context, _ party, request []byte) ([]byte, error) {
	var n notice
	if err := json.Unmarshal(request, &n); err != nil {
		return nil, fmt.Errorf("%w: %w", persistence.ErrInvalid, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if n.Name != s.self.Name || n.Name == "" {
		return nil, fmt.Errorf("node %q is not here: %w", n.Name, persistence.ErrNotFound)
	}
	s.drainBy = n.By
	return nil, nil
}

func (s *Static) post(ctx context.Context, r *Remoting, op, address string, n notice) error {
	body, err := json.Marshal(n)
	if err != nil {
		return err
	}
	_, err = r.ask(ctx, op, party{}, address, body)
	return err
}

// spread tells all that live, as far as they answer in time.
func (s *Static) spread(ctx context.Context, op string, n notice) {
	ctx, cancel := context.WithTimeout(ctx, probeWithin)
	defer cancel()
	s.mu.Lock()
	r := s.r
	var to []string
	for address, a := range s.known {
		if a.lives() {
			to = append(to, address)
		}
	}
	s.mu.Unlock()
	var wait sync.WaitGroup
	turns := make(chan struct{}, probesAtOnce)
	for _, address := range to {
		turns <- struct{}{}
		wait.Go(func() {
			defer func() { <-turns }()
			_ = s.post(ctx, r, op, address, n) // who is not told finds out
		})
	}
	wait.Wait()
}
