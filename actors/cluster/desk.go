package cluster

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/meta-ad-studio/troupe/persistence"
)

// deskName is the one process that a peer can address.
const deskName = "troupe"

// desk is that process. It is no actor, so nothing can stop, suspend or restart it; it never blocks, as it runs on the goroutine that reads a
// peer's stream. It implements actor.Process.
type desk struct{ e *engine }

// SendUserMessage implements actor.Process.
func (d desk) SendUserMessage(_ *actor.PID, message any) {
	header, inner, _ := actor.UnwrapEnvelope(message)
	value, ok := inner.(*wrapperspb.BytesValue)
	if !ok || header == nil {
		return // nobody but the filter speaks to it
	}
	d.e.r.receive(d.e, header.Get(keyNode), header.Get(keyAddress), value.GetValue())
}

// SendSystemMessage implements actor.Process: there are none.
func (desk) SendSystemMessage(*actor.PID, any) {}

// Stop implements actor.Process: it can't be stopped.
func (desk) Stop(*actor.PID) {}

// receive takes an envelope from a node that has proved itself at an address.
func (r *Remoting) receive(e *engine, node, address string, data []byte) {
	m, err := open(data)
	if err == nil && m.From.Node != node {
		err = fmt.Errorf("an envelope of node %s", m.From.Node)
	}
	if err != nil {
		e.log.Warn("remoting: a message of a peer is not taken", "peer", node, "err", err)
		return
	}
	if m.Op == opAnswer {
		r.settle(m)
		return
	}
	if err := r.isFor(m); err != nil {
		r.reply(e, address, m, nil, err)
		return
	}
	select {
	case r.hands <- struct{}{}:
		go r.handle(e, address, m)
	default:
		r.reply(e, address, m, nil, fmt.Errorf("busy with %d requests of other nodes: %w", MaxHandling, persistence.ErrFull))
	}
}

// isFor refuses a request that means, or comes from, another incarnation than there is.
func (r *Remoting) isFor(m *envelope) error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	self := r.party()
	_, internal := r.internal[m.Op]
	switch {
	case r.peers[m.From.Node].Incarnation > m.From.Incarnation && !internal:
		return fmt.Errorf("incarnation %d of the asker is no longer a member: %w", m.From.Incarnation, persistence.ErrUnavailable)
	case internal && m.To == party{}:
		return nil // whoever is here
	case m.Op != opAsk && !internal:
		return fmt.Errorf("%q is not known here: %w", m.Op, persistence.ErrInvalid)
	case m.To != self || self.Incarnation == 0:
		return fmt.Errorf("incarnation %d of node %s is not here: %w", m.To.Incarnation, m.To.Node, persistence.ErrUnavailable)
	}
	return nil
}

// settle gives an answer to the ask that waits for it.
func (r *Remoting) settle(m *envelope) {
	a := r.take(m.ID, func(a *ask) bool {
		return m.To == r.party() && (a.to.Node == "" || m.From.Node == a.to.Node && m.From.Incarnation == a.to.Incarnation || m.Error != nil && m.From.Node == a.to.Node)
	})
	switch {
	case a == nil: // nobody waits any more, or it is meant for another
	case m.Error != nil:
		a.fail(m.Error.err())
	default:
		a.answer <- answer{body: m.Body}
	}
}

func (r *Remoting) handle(e *engine, address string, m *envelope) {
	defer func() { <-r.hands }()
	within := HandleWithin
	if m.Within > 0 && m.Within < within.Milliseconds() {
		within = m.within()
	}
	ctx, cancel := context.WithTimeout(r.life, within)
	defer cancel()
	body, err := r.handled(ctx, m)
	r.reply(e, address, m, body, err)
}

func (r *Remoting) handled(ctx context.Context, m *envelope) (body []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			r.log.Error("panic while a request of another node was handled", "peer", m.From.Node, "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic while the request was handled: %v", p)
		}
	}()
	r.mu.RLock()
	internal := r.internal[m.Op]
	r.mu.RUnlock()
	if internal != nil {
		return internal(ctx, m.From, m.Body)
	}
	return r.config.Handle(ctx, m.From.Node, m.Body)
}

// reply sends the answer to a request, or why there is none.
func (r *Remoting) reply(e *engine, address string, m *envelope, body []byte, err error) {
	if err == nil && len(body) > MaxBody {
		err = fmt.Errorf("the answer has %d bytes, at most %d travel: %w", len(body), MaxBody, persistence.ErrInvalid)
	}
	r.mu.RLock()
	out := &envelope{ID: m.ID, Op: opAnswer, From: r.party(), To: m.From}
	r.mu.RUnlock()
	if err != nil {
		out.Error = tell(err)
	} else {
		out.Body = body
	}
	data, err := out.seal()
	if err == nil {
		err = e.send(address, data)
	}
	if err != nil {
		e.log.Warn("remoting: an answer is lost", "peer", m.From.Node, "err", err)
	}
}
