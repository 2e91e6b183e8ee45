package simulation

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// rows are all jobs of the store, whole.
func (c *cluster) rows() []job.Job {
	var all []job.Job
	for q := (persistence.Query{Limit: persistence.MaxPage}); ; {
		page, _ := c.store.List(context.Background(), q)
		ids := make([]job.ID, len(page.Jobs))
		for i := range page.Jobs {
			ids[i] = page.Jobs[i].ID
		}
		records, _ := c.store.Get(context.Background(), ids)
		for i := range records {
			all = append(all, records[i].Job)
		}
		if q.Before = page.Next; q.Before.IsZero() {
			return all
		}
	}
}

// held is how much the inbox holds of all queues.
func (c *cluster) held() (live, dead int64) {
	for _, q := range queues {
		d, _ := c.inbox.Depth(context.Background(), q)
		live += d.Waiting + d.Leased + d.Delayed
		dead += d.Dead
	}
	return live, dead
}

// maxRest is how long a cluster may take to come to rest once all is well: attempts, backoffs and leases, and what the walk puts back.
const maxRest = 6 * time.Minute

// rest waits until nothing is left to do.
func (c *cluster) rest() {
	for deadline := time.Now().Add(maxRest); time.Now().Before(deadline); time.Sleep(2 * time.Second) {
		if live, _ := c.held(); live == 0 && len(c.ledger.unended(c.rows())) == 0 {
			break
		}
	}
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline) && len(c.ledger.unshown(c.rows())) > 0; {
		time.Sleep(2 * time.Second)
	}
}

// unended are accepted jobs that have not come to an end, each with a word on how it stands.
func (l *ledger) unended(rows []job.Job) map[job.ID]string {
	l.mu.Lock()
	defer l.mu.Unlock()
	open := map[job.ID]string{}
	for id, a := range l.acks {
		if !a.exposed && !l.afterLoss(a.acked.Add(-time.Second), a.acked.Add(time.Second)) {
			open[id] = "no row"
		}
	}
	for i := range rows {
		j := &rows[i]
		delete(open, j.ID)
		if !j.Status.Terminal() {
			open[j.ID] = j.Status.String() + " on " + j.Node
		}
	}
	return open
}

// unshown are jobs that a stream showed, and not as they are.
func (l *ledger) unshown(rows []job.Job) map[job.ID]string {
	l.mu.Lock()
	defer l.mu.Unlock()
	wrong := map[job.ID]string{}
	for _, w := range l.watchers {
		for i := range rows {
			if v, seen := w.last[rows[i].ID]; seen && (v.Version != rows[i].View().Version || v.Status != rows[i].Status) {
				wrong[rows[i].ID] = w.node + " shows " + v.Status.String()
			}
		}
	}
	return wrong
}

// audit compares what happened with what the servers say.
func (c *cluster) audit() {
	rows := c.rows()
	open, wrong := c.ledger.unended(rows), c.ledger.unshown(rows)
	live, dead := c.held()
	l := c.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, how := range open {
		l.violated("I1", "job %s (%s) has not ended: %s", id, l.kindOf(id), how)
	}
	for id, how := range wrong {
		l.violated("I9", "job %s: %s", id, how)
	}
	failed := int64(0)
	landed := map[int]job.ID{}
	for i := range rows {
		j := &rows[i]
		if j.Status == job.Failed {
			failed++
		}
		a := l.order(j)
		if a == nil {
			l.violated("I7", "nobody asked for job %s", j.ID)
			continue
		}
		if other, twice := landed[a.N]; twice && len(l.losses) == 0 {
			l.violated("I6", "one request made job %s and job %s", other, j.ID)
		}
		landed[a.N] = j.ID
		history, _ := c.store.History(context.Background(), j.ID)
		l.auditHistory(j, history)
		l.auditEnd(j, a)
		l.auditAttempts(j, history)
	}
	if live != 0 {
		l.violated("I15", "the inbox still holds %d jobs", live)
	}
	if len(l.losses) == 0 && dead != failed {
		l.violated("I15", "the inbox lists %d dead letters, and %d rows have failed", dead, failed)
	}
	for _, a := range l.acks {
		if a.exposed && !slices.ContainsFunc(rows, func(j job.Job) bool { return j.ID == a.id }) {
			l.excused++
		}
	}
	l.auditCancels()
}

func (l *ledger) kindOf(id job.ID) string {
	if a := l.acks[id]; a != nil {
		return a.kind
	}
	return "never answered"
}

// order is what the row's client asked for, or nil.
func (l *ledger) order(j *job.Job) *asked {
	var o order
	if json.Unmarshal(j.Payload, &o) != nil {
		return nil
	}
	return l.asks[o.N]
}

// auditHistory: revs grow, tokens never fall, a token is one node's, and a life has one end, after which only a redrive follows.
func (l *ledger) auditHistory(j *job.Job, history []job.Transition) {
	var was job.Transition
	for i, h := range history {
		switch {
		case i == 0:
		case h.Rev <= was.Rev || h.Token < was.Token:
			l.violated("I3", "job %s: %s at rev %d, token %d after %s at rev %d, token %d", j.ID, h.Event, h.Rev, h.Token, was.Event, was.Rev, was.Token)
		case h.Token == was.Token && h.Node != was.Node && was.Token > 0:
			l.violated("I3", "job %s: token %d is of %s and of %s", j.ID, h.Token, was.Node, h.Node)
		case was.Status.Terminal() && (h.Event != "Redriven" || was.Status == job.Completed || h.Life != was.Life+1):
			l.violated("I2", "job %s: %s (life %d) after its end as %s (life %d)", j.ID, h.Event, h.Life, was.Status, was.Life)
		case !was.Status.Terminal() && h.Life != was.Life:
			l.violated("I2", "job %s: life %d after life %d, which had not ended", j.ID, h.Life, was.Life)
		}
		was = h
	}
	if len(history) == 0 || was.Status != j.Status || was.Rev > j.Rev {
		l.violated("I3", "job %s is %s at rev %d, and its history ends with %s at rev %d", j.ID, j.Status, j.Rev, was.Status, was.Rev)
	}
}

// auditEnd: what a row says came of the job did happen.
func (l *ledger) auditEnd(j *job.Job, a *asked) {
	switch j.Status {
	case job.Completed:
		var got answer
		ok := json.Unmarshal(j.Result, &got) == nil && got == answer{a.N, j.Token}
		if !ok || !slices.ContainsFunc(l.byJob[j.ID], func(r *run) bool { return r.token == j.Token && r.outcome == outcomeOK }) {
			l.violated("I7", "job %s (%s) is completed under token %d with %s, which no handler did", j.ID, j.Kind, j.Token, j.Result)
		}
	case job.Failed:
		if j.Failure == nil {
			l.violated("I7", "job %s has failed without a failure", j.ID)
			return
		}
		crashed := j.Failure.Code == job.CodeCrashes
		if crashed != (j.Crashes > j.Policy.MaxCrashes) || !crashed && j.Attempts != j.Policy.MaxAttempts {
			l.violated("I7", "job %s (%s) has failed with %s after %d attempts and %d crashes", j.ID, j.Kind, j.Failure.Code, j.Attempts, j.Crashes)
		}
		if crashed && j.Kind != "poison" {
			l.violated("I5", "job %s (%s) is taken for poison after %d crashes", j.ID, j.Kind, j.Crashes)
		}
	case job.Cancelled:
		if !a.cancelling {
			l.violated("I10", "job %s is cancelled, which nobody asked for", j.ID)
		}
	}
	if j.Kind == "poison" {
		deaths := 0
		for _, r := range l.byJob[j.ID] {
			if r.outcome == outcomeCrashed {
				deaths++
			}
		}
		if j.Status == job.Completed || deaths > poisonCrashes+1+2*len(l.losses) {
			l.violated("I5", "job %s is poison: it has killed %d nodes and is %s", j.ID, deaths, j.Status)
		}
	}
}

// auditAttempts: an attempt is spent only where a handler failed.
func (l *ledger) auditAttempts(j *job.Job, history []job.Transition) {
	spent := 0
	for _, h := range history {
		if h.Event != "AttemptFailed" || h.Status == job.Cancelled {
			continue
		}
		if h.Life == j.Life {
			spent++
		}
		if !slices.ContainsFunc(l.byJob[j.ID], func(r *run) bool {
			return r.token == h.Token && r.node == h.Node && (r.outcome == outcomeFailed || r.outcome == outcomePanic)
		}) {
			l.violated("I4", "job %s (%s) spent an attempt under token %d on %s, and no handler failed: %+v", j.ID, j.Kind, h.Token, h.Node, h.Failure)
		}
	}
	if j.Attempts > spent || j.Attempts > j.Policy.MaxAttempts {
		l.violated("I4", "job %s counts %d attempts, its history %d", j.ID, j.Attempts, spent)
	}
	if l.cluster.plan.calm && (j.Crashes > 0 || len(l.byJob[j.ID]) > 8) {
		l.violated("I4", "job %s has %d crashes and %d runs, and nothing was ever wrong", j.ID, j.Crashes, len(l.byJob[j.ID]))
	}
}

// auditCancels: what was cancelled is not begun again, but by a node that could not know.
func (l *ledger) auditCancels() {
	for _, c := range l.cancels {
		for _, r := range l.byJob[c.id] {
			late := r.start.Sub(c.at)
			if r.life == c.life && late > lease && !l.unwell(r.node, r.start.Add(-70*time.Second), r.start) && !l.afterLoss(c.at.Add(-time.Minute), r.start) {
				l.violated("I10", "job %s began on %s %s after its cancellation was answered (%s)", c.id, r.node, late, c.status)
			}
		}
	}
}
