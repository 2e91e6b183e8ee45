package cluster

import (
	"context"
	"fmt"
	"time"

	"github.com/meta-ad-studio/troupe/persistence"
)

// Bounds of what waits for answers.
const (
	// maxWaiting bounds the requests that wait, in bytes.
	maxWaiting = 64 << 20
	// minWeight is what the smallest counts as.
	minWeight = 8 << 10
)

// ask is a request that waits for its answer.
type ask struct {
	id      uint64
	to      party // an empty name: whoever is at the address
	address string
	answer  chan answer // takes one, from whoever has taken the ask off the list
}

type answer struct {
	body []byte
	err  error
}

func (a *ask) fail(err error) { a.answer <- answer{err: err} }

// Ask sends a request to the Handle of a node and waits for the answer, at most until the context ends. The request has at most MaxBody
// bytes. An error wraps persistence.ErrUnavailable if the node is not known, can't be reached, or does not answer in time: whether
// it has handled the request is unknown then; ErrFull if it handles too many at once: it has not; any other is what its Handle
// answered, wrapping the same error of persistence as there.
func (r *Remoting) Ask(ctx context.Context, node string, request []byte) ([]byte, error) {
	return r.ask(ctx, opAsk, party{Node: node}, "", request)
}

// ask sends a request to a member, or to whoever is at an address.
func (r *Remoting) ask(ctx context.Context, op string, to party, address string, request []byte) ([]byte, error) {
	body, err := r.exchange(ctx, op, to, address, request)
	if err != nil {
		name := to.Node
		if name == "" {
			name = address
		}
		return nil, fmt.Errorf("ask node %s: %w", name, err)
	}
	return body, nil
}

func (r *Remoting) exchange(ctx context.Context, op string, to party, address string, request []byte) ([]byte, error) {
	if len(request) > MaxBody {
		return nil, fmt.Errorf("a request of %d bytes, at most %d travel: %w", len(request), MaxBody, persistence.ErrInvalid)
	}
	weight := int64(max(len(request), minWeight))
	if err := r.waiting.Acquire(ctx, weight); err != nil {
		return nil, fmt.Errorf("too many asks wait: %w: %w", persistence.ErrUnavailable, err)
	}
	defer r.waiting.Release(weight)
	a, e, message, err := r.begin(to, address)
	if err != nil {
		return nil, err
	}
	defer r.take(a.id, nil)
	message.Op, message.Body = op, request
	if deadline, ok := ctx.Deadline(); ok {
		message.Within = max(1, time.Until(deadline).Milliseconds())
	}
	data, err := message.seal()
	if err != nil {
		return nil, err
	}
	if err := e.send(a.address, data); err != nil {
		return nil, err
	}
	select {
	case got := <-a.answer:
		return got.body, got.err
	case <-ctx.Done():
		return nil, fmt.Errorf("no answer: %w: %w", persistence.ErrUnavailable, ctx.Err())
	}
}

// begin puts an ask on the list, if there is whom to ask.
func (r *Remoting) begin(to party, address string) (*ask, *engine, *envelope, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.engine == nil {
		return nil, nil, nil, errDown
	}
	if address == "" {
		peer, known := r.peers[to.Node]
		if !known {
			return nil, nil, nil, fmt.Errorf("no such member can be reached: %w", persistence.ErrUnavailable)
		}
		to.Incarnation, address = peer.Incarnation, peer.Address
	}
	r.next++
	if r.next == 0 {
		r.next++
	}
	a := &ask{id: r.next, to: to, address: address, answer: make(chan answer, 1)}
	r.asks[a.id] = a
	return a, r.engine, &envelope{ID: a.id, From: r.party(), To: to}, nil
}

// party is this node. The list is locked.
func (r *Remoting) party() party { return party{Node: r.config.Node, Incarnation: r.self.Incarnation} }

// take takes an ask off the list, if it is still there and it is the one.
func (r *Remoting) take(id uint64, is func(*ask) bool) *ask {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := r.asks[id]
	if a == nil || is != nil && !is(a) {
		return nil
	}
	delete(r.asks, id)
	return a
}

// lose takes asks off the list. The list is locked; who calls fails them once it no longer is.
func (r *Remoting) lose(which func(*ask) bool) []*ask {
	var lost []*ask
	for id, a := range r.asks {
		if which(a) {
			delete(r.asks, id)
			lost = append(lost, a)
		}
	}
	return lost
}

// unreachable fails the asks that wait for an address.
func (r *Remoting) unreachable(e *engine, address string, err error) {
	r.mu.Lock()
	var lost []*ask
	if r.engine == e {
		lost = r.lose(func(a *ask) bool { return a.address == address })
	}
	r.mu.Unlock()
	for _, a := range lost {
		a.fail(err)
	}
}
