package actors

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/meta-ad-studio/troupe/persistence"
)

// Adoption: the leases of a node that was declared dead are ended at once, and its jobs go to the front of their queues, where whoever has free
// slots takes them. It is staggered, so that a hundred thousand of them take seconds and neither the inbox nor the nodes are swamped.
// The leases would end by themselves a little later: nothing depends on adoption but the time.

const (
	// adoptPage is how many leases of a queue are looked at in one call.
	adoptPage = 500
	// adoptPause lies between two calls.
	adoptPause = 10 * time.Millisecond
	// adoptAfter is how long the fallen lie before the next in line takes care of them, too.
	adoptAfter = 2 * time.Second
	// maxAdoptRank bounds how long those at the end of a long line wait.
	maxAdoptRank = 15
	// lookAgain is how often it is made sure that the node is still dead.
	lookAgain = time.Second
)

// adopt takes care of the fallen beside the beats, those of them whose turn it is for this node to take care of.
func (m *membership) adopt(ctx context.Context) {
	if !m.adopting.CompareAndSwap(false, true) {
		return
	}
	if !m.app.loops.Go(func() {
		defer m.adopting.Store(false)
		if err := m.adoptFallen(ctx); err != nil && ctx.Err() == nil {
			m.app.log.Warn("jobs of a dead node are not adopted yet; it is tried again", "error", err)
		}
	}) {
		m.adopting.Store(false)
	}
}

func (m *membership) adoptFallen(ctx context.Context) error {
	fallen, err := m.app.readFallen(ctx)
	if err != nil {
		return err
	}
	now, first := time.Now(), make(map[string]time.Time, len(fallen))
	for i := range fallen {
		name := fallen[i].Name
		if first[name] = now; !m.seen[name].IsZero() {
			first[name] = m.seen[name]
		}
	}
	m.seen = first
	for i := range fallen {
		f := &fallen[i]
		rank := 0
		if v := m.app.currentView(); v != nil {
			rank = m.app.rank(dutyAdopt+f.Name, v.peers, func(n *NodeInfo) bool { return n.Name != f.Name })
		}
		if f.Name == m.app.config.Node || time.Since(first[f.Name]) < adoptAfter*time.Duration(min(rank, maxAdoptRank)) {
			continue
		}
		if err := m.app.adoptAllOf(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

func (a *App) readFallen(ctx context.Context) ([]persistence.Fallen, error) {
	ctx, cancel := context.WithTimeout(ctx, a.callTimeout())
	defer cancel()
	fallen, err := a.config.Members.Fallen(ctx)
	if err != nil {
		return nil, fmt.Errorf("read who has fallen: %w", err)
	}
	return fallen, nil
}

// adoptAllOf ends all leases of a fallen node, then takes it off the list, unless it has come back meanwhile.
func (a *App) adoptAllOf(ctx context.Context, f *persistence.Fallen) error {
	queues := make([]string, 0, len(a.queues))
	for name := range a.queues {
		queues = append(queues, name)
	}
	info := nodeOfFallen(f)
	for _, q := range info.Queues[:min(len(info.Queues), MaxQueues)] {
		if !slices.Contains(queues, q.Name) {
			queues = append(queues, q.Name)
		}
	}
	slices.Sort(queues)
	sure, jobs := time.Now(), 0
	for _, queue := range queues {
		for after, more := "", true; more; more = after != "" {
			if time.Since(sure) > lookAgain {
				if still, err := a.isFallen(ctx, f.Name); err != nil || !still {
					return err
				}
				sure = time.Now()
			}
			reaped, next, err := a.adoptPage(ctx, queue, f.Name, after)
			if err != nil {
				return fmt.Errorf("adopt the jobs of node %s in queue %s: %w", f.Name, queue, err)
			}
			jobs += reaped
			if after = next; after != "" && !a.pause(ctx, adoptPause) {
				return nil
			}
		}
	}
	call, cancel := context.WithTimeout(ctx, a.callTimeout())
	defer cancel()
	if err := a.config.Members.Bury(call, f.Name); err != nil {
		return fmt.Errorf("bury node %s: %w", f.Name, err)
	}
	took := time.Duration(0)
	if v := a.lastRead(); v != nil {
		took = max(time.Since(f.Since.Add(-v.ahead)), 0)
	}
	a.metrics.fallen.Inc()
	a.metrics.adoption.Observe(took.Seconds())
	a.log.Warn("a node is dead; its jobs wait again, at the front of their queues", "of", f.Name, "jobs", jobs, "dead_for", took.Round(time.Millisecond))
	return nil
}

func (a *App) adoptPage(ctx context.Context, queue, node, after string) (reaped int, next string, err error) {
	ctx, cancel := context.WithTimeout(ctx, roundTimeout)
	defer cancel()
	ids, next, err := a.config.Inbox.ReapHolder(ctx, queue, node, after, adoptPage)
	if err != nil || len(ids) == 0 {
		return 0, next, err
	}
	intake, ours := a.intakes[queue]
	a.metrics.adoptedJobs(queue, len(ids), ours)
	if ours && a.open() {
		intake.wake()
	}
	return len(ids), next, nil
}

func (a *App) isFallen(ctx context.Context, name string) (bool, error) {
	fallen, err := a.readFallen(ctx)
	return slices.ContainsFunc(fallen, func(f persistence.Fallen) bool { return f.Name == name }), err
}
