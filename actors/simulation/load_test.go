package simulation

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
)

// serve lets all clients have what they want, and waits for them.
func (c *cluster) serve() {
	var clients sync.WaitGroup
	began := time.Now()
	for _, e := range c.plan.errands() {
		time.Sleep(time.Until(began.Add(e.at)))
		a := &asked{order: e.order, kind: e.sub.Kind, key: e.sub.Key}
		e.sub.Payload, _ = json.Marshal(e.order)
		c.ledger.asked(a)
		clients.Go(func() { c.run(e, a) })
		if e.repeated {
			clients.Go(func() { c.submit(e, a) })
		}
	}
	clients.Wait()
}

// run is one client.
func (c *cluster) run(e errand, a *asked) {
	id, ok := c.submit(e, a)
	if !ok {
		return
	}
	if e.hasten {
		c.retry(id)
	}
	if e.cancel > 0 {
		time.Sleep(e.cancel)
		c.cancel(id, a)
	}
	if e.redrive {
		c.redrive(id)
	}
}

const (
	patience    = 8 * time.Second // of a client with one request
	commands    = 20              // how often a client repeats a command
	submissions = 60
)

// submit asks until it is answered, if a key makes that safe.
func (c *cluster) submit(e errand, a *asked) (job.ID, bool) {
	for range submissions {
		n := c.any()
		if n == nil {
			time.Sleep(time.Second)
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		accepted, err := n.Submit(ctx, e.sub)
		cancel()
		switch {
		case n.dead(): // whatever it said was not heard
			if e.sub.Key == "" && !errors.Is(err, actors.ErrClosed) {
				return job.ID{}, false
			}
		case err == nil:
			c.ledger.acked(a, accepted)
			return accepted.Job.ID, true
		case errors.Is(err, actors.ErrUnknownKind), errors.Is(err, actors.ErrClosed):
			time.Sleep(50 * time.Millisecond) // it was refused for certain: another node
			continue
		case errors.Is(err, actors.ErrInvalid):
			c.ledger.refused(a, err)
			return job.ID{}, false
		case e.sub.Key == "":
			return job.ID{}, false // it may have been accepted
		}
		time.Sleep(time.Second)
	}
	return job.ID{}, false
}

// ask repeats a command at one node after another until one answers.
func (c *cluster) ask(do func(ctx context.Context, n *node) error) bool {
	for range commands {
		if n := c.any(); n != nil {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			err := do(ctx, n)
			cancel()
			if err == nil && !n.dead() {
				return true
			}
			if errors.Is(err, job.ErrNotAllowed) || errors.Is(err, job.ErrTerminal) {
				return false
			}
		}
		time.Sleep(time.Second)
	}
	return false
}

func (c *cluster) cancel(id job.ID, a *asked) {
	c.ledger.cancelling(a)
	c.ask(func(ctx context.Context, n *node) error {
		j, err := n.Cancel(ctx, id, "client", "no longer wanted")
		if err == nil && !n.dead() {
			c.ledger.cancelled(j)
		}
		return err
	})
}

func (c *cluster) retry(id job.ID) {
	c.ask(func(ctx context.Context, n *node) error {
		_, err := n.Retry(ctx, id, "client")
		return err
	})
}

// redrive waits until the job has ended, and gives it another life if it did not complete.
func (c *cluster) redrive(id job.ID) {
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Second) {
		records, _ := c.store.Get(context.Background(), []job.ID{id})
		if len(records) == 1 && records[0].Job.Status.Terminal() {
			if records[0].Job.Status != job.Completed {
				c.retry(id)
			}
			return
		}
	}
}

func (l *ledger) asked(a *asked) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asks[a.N] = a
}

// acked: every answer with one key names one job.
func (l *ledger) acked(a *asked, accepted actors.Accepted) {
	l.mu.Lock()
	defer l.mu.Unlock()
	id := accepted.Job.ID
	if !a.id.IsZero() && a.id != id {
		if len(l.losses) == 0 {
			l.violated("I6", "key %s was answered with job %s and with job %s", a.key, a.id, id)
		}
		a.exposed = true
		return
	}
	if accepted.Job.Life == 0 && accepted.Job.ID.IsZero() {
		l.violated("I1", "an answer without a job")
	}
	a.id, a.store = id, accepted.Durability == "store"
	if a.acked.IsZero() {
		a.acked = time.Now()
	}
	l.acks[id] = a
}

func (l *ledger) refused(a *asked, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.violated("load", "job %d is refused: %v", a.N, err)
}

func (l *ledger) cancelling(a *asked) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a.cancelling = true
}

func (l *ledger) cancelled(j job.Job) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cancels = append(l.cancels, cancelled{j.ID, j.Life, time.Now(), j.Status})
}

// has says whether the store has a row.
func (c *cluster) has(id job.ID) bool {
	records, _ := c.store.Get(context.Background(), []job.ID{id})
	return len(records) == 1
}
