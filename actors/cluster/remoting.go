package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/meta-ad-studio/troupe/persistence"
)

// closeWithin bounds how long Close waits for what still runs.
const closeWithin = 500 * time.Millisecond

// errDown is why an ask fails while there is no engine.
var errDown = fmt.Errorf("remoting is closed or begins anew: %w", persistence.ErrUnavailable)

// Remoting is a node's connection to the others. Start makes it.
type Remoting struct {
	config   Config
	host     string // listened on
	port     int
	address  string // advertised
	log      *slog.Logger
	gate     *gate
	nonces   nonces
	waiting  *semaphore.Weighted // what waits for its answer, in bytes
	hands    chan struct{}       // one for each request being handled
	life     context.Context     // of requests being handled
	end      context.CancelFunc
	change   sync.Mutex // one Update, Rejoin or Close at a time
	mu       sync.RWMutex
	closed   bool
	engine   *engine // nil while there is none
	self     persistence.Member
	peers    map[string]persistence.Member // by name; those that can be asked
	asks     map[uint64]*ask
	next     uint64
	internal map[string]handler // by operation: those that are not for Handle
}

// handler answers a request from another node.
type handler func(ctx context.Context, from party, request []byte) ([]byte, error)

// Start listens. Nobody can be asked before the first Update. It answers once the node listens, or why it can't: an error of a configuration
// that can never work wraps persistence.ErrInvalid. The context bounds the start only.
func Start(ctx context.Context, config Config) (*Remoting, error) {
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	host, port, err := config.check()
	if err != nil {
		return nil, err
	}
	if port == 0 {
		if port, err = freePort(ctx, host); err != nil {
			return nil, fmt.Errorf("remoting: find a port to listen on: %w", err)
		}
	}
	address, err := config.advertised(host, port)
	if err != nil {
		return nil, err
	}
	certificates, err := newCertificates(&config)
	if err != nil {
		return nil, err
	}
	r := &Remoting{
		config: config, host: host, port: port, address: address, log: config.Log.With("part", "remoting"),
		gate: &gate{certificates: certificates}, waiting: semaphore.NewWeighted(maxWaiting), hands: make(chan struct{}, MaxHandling),
		peers: map[string]persistence.Member{}, asks: map[uint64]*ask{}, next: rand.Uint64(), internal: map[string]handler{},
	}
	r.life, r.end = context.WithCancel(context.WithoutCancel(ctx))
	e, err := startEngine(ctx, r)
	if err != nil {
		r.end()
		return nil, err
	}
	r.engine = e
	if config.List != nil {
		config.List.Bind(r)
	}
	return r, nil
}

// freePort asks the system for a port: the library takes a number only, and needs the same one again to rejoin.
func freePort(ctx context.Context, host string) (int, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return 0, err
	}
	_, text, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return 0, errors.Join(err, l.Close())
	}
	port, err := strconv.Atoi(text)
	return port, errors.Join(err, l.Close())
}

// Address is the host:port at which others reach this node.
func (r *Remoting) Address() string { return r.address }

// Update tells who this node is and who lives. Those who are no longer among the members, or are under another incarnation or at another
// address, can't be asked any more, and the asks that wait for them fail at once, as all do if this node's own incarnation
// has changed. Members without a valid address can't be asked. It costs little if nothing has changed.
func (r *Remoting) Update(self persistence.Member, members []persistence.Member) {
	r.change.Lock()
	defer r.change.Unlock()
	peers := make(map[string]persistence.Member, len(members))
	for _, m := range members {
		if host, port, err := split(m.Address); err == nil && host != "" && port != 0 && m.Name != self.Name && len(peers) < persistence.MaxMembers {
			peers[m.Name] = m
		}
	}
	r.mu.Lock()
	renewed := r.self.Incarnation != 0 && r.self.Incarnation != self.Incarnation
	changed := renewed || r.self.Name != self.Name || len(peers) != len(r.peers)
	r.self = self
	var lost []*ask
	for name, old := range r.peers {
		now, there := peers[name]
		if !there || now.Incarnation != old.Incarnation || now.Address != old.Address {
			changed = true
			lost = append(lost, r.lose(func(a *ask) bool { return a.to.Node == name })...)
		}
	}
	if renewed {
		lost = append(lost, r.lose(func(*ask) bool { return true })...)
	}
	r.peers = peers
	e := r.engine
	r.mu.Unlock()
	for _, a := range lost {
		a.fail(fmt.Errorf("it is no longer the member it was: %w", persistence.ErrUnavailable))
	}
	if changed && e != nil {
		e.update(peers)
	}
}

// Rejoin begins anew at the same address, after this node was declared dead: the library never takes back a member that it has dropped.
// All asks that wait fail; the others' connections come again by themselves. If it fails, nobody can be asked and nothing is
// answered until it is called again with success.
func (r *Remoting) Rejoin(ctx context.Context) error {
	r.change.Lock()
	defer r.change.Unlock()
	r.down()
	r.mu.RLock()
	closed := r.closed
	r.mu.RUnlock()
	if closed {
		return errDown
	}
	e, err := startEngine(ctx, r)
	for ; err != nil; e, err = startEngine(ctx, r) { // somebody else may hold the port for a moment
		pause := time.NewTimer(50 * time.Millisecond)
		select {
		case <-pause.C:
		case <-r.life.Done():
			pause.Stop()
			return errDown
		case <-ctx.Done():
			pause.Stop()
			return fmt.Errorf("%w: %w", err, ctx.Err())
		}
	}
	r.mu.Lock()
	r.engine = e
	peers := r.peers
	r.mu.Unlock()
	e.update(peers)
	return nil
}

// down ends the engine and fails what waits.
func (r *Remoting) down() {
	r.mu.Lock()
	e := r.engine
	r.engine = nil
	lost := r.lose(func(*ask) bool { return true })
	r.mu.Unlock()
	for _, a := range lost {
		a.fail(errDown)
	}
	if e != nil {
		e.stop()
	}
}

// Close ends all connections, fails what waits and ends the context of what is being handled. It may be called again.
func (r *Remoting) Close() {
	r.end() // a Rejoin that is under way gives up
	r.change.Lock()
	defer r.change.Unlock()
	r.mu.Lock()
	again := r.closed
	r.closed = true
	r.mu.Unlock()
	if again {
		return
	}
	r.down()
	late := time.NewTimer(closeWithin)
	defer late.Stop()
	for range MaxHandling { // every hand that is free stays taken: nothing is handled any more
		select {
		case r.hands <- struct{}{}:
		case <-late.C:
			r.log.Warn("a request of another node is still being handled")
			return
		}
	}
}
