package storetest

import (
	"context"
	"flag"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// storeAgainstCore lets several nodes, each with its own and often outdated view of a few jobs, apply random events by
// job.Apply and commit what comes of them, late, in batches and repeatedly. Every outcome, row and history is compared with what
// Fence.Admits says.
func storeAgainstCore(t *testing.T, st persistence.Store) {
	ctx := testContext(t)
	seen := make(tally)
	if raced {
		fewerChecks(t)
	}
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.Uint64().Draw(rt, "seed")
		m := &storeMachine{ctx: ctx, st: st, rng: rand.New(rand.NewPCG(seed, seed)), now: time.Now(), seen: seen}
		for range 3 {
			m.submit()
		}
		rt.Repeat(map[string]func(*rapid.T){
			"":             m.compare,
			"event":        m.event,
			"take":         m.take,
			"commit":       m.commit,
			"repeat":       m.repeat,
			"cancel":       m.cancel,
			"event again":  m.event, // these more often
			"attempt":      m.attempt,
			"commit again": m.commit,
		})
	})
	seen.check(t, "new rows", "applied", "repeated", "refused", "refused: equal token", "refused: ended", "redriven", "cancel requested")
}

// fewerChecks lets a test check less often, unless the command line says how often.
func fewerChecks(t *testing.T) {
	checks := flag.Lookup("rapid.checks")
	if checks.Value.String() != checks.DefValue {
		return
	}
	set := func(n string) {
		if err := checks.Value.Set(n); err != nil {
			t.Fatal(err)
		}
	}
	set("50") // with 30, one in a thousand meets too little
	t.Cleanup(func() { set(checks.DefValue) })
}

type storeMachine struct {
	ctx  context.Context
	st   persistence.Store
	rng  *rand.Rand
	now  time.Time
	jobs []*storedJob
	past []persistence.Write
	seen tally
}

func (m *storeMachine) submit() {
	j := job.New(RandomSpec(m.rng), m.now)
	j.Policy.MaxAttempts, j.Policy.MaxCrashes = 1+m.rng.IntN(3), 1+m.rng.IntN(3)
	m.jobs = append(m.jobs, &storedJob{views: []*view{{j, []job.Transition{j.FirstTransition()}}}})
}

func (m *storeMachine) tick() time.Time {
	m.now = m.now.Add(time.Millisecond)
	return m.now
}

// The machine's own dice choose, not rapid's: those favour small numbers, and would hardly get past the first job and event.

func (m *storeMachine) pick() *storedJob { return oneOf(m.rng, m.jobs) }

func oneOf[T any](rng *rand.Rand, choices []T) T { return choices[rng.IntN(len(choices))] }

// step is what the core makes of an event.
type step struct {
	job  job.Job
	line *job.Transition
}

// admitted are the steps that the core lets a job take by the events.
func (m *storeMachine) admitted(from job.Job, events ...job.Event) (steps []step) {
	now := m.tick()
	for _, e := range events {
		if next, line, err := from.Apply(e, now); err == nil {
			steps = append(steps, step{next, line})
		}
	}
	return steps
}

// event lets a holder go on under its own token.
func (m *storeMachine) event(t *rapid.T) {
	if !m.advance(oneOf(m.rng, m.pick().views)) {
		t.Skip("its holding is over")
	}
}

// advance takes a view one step on, if the core lets it.
func (m *storeMachine) advance(v *view) bool {
	events := []job.Event{
		job.Progressed{Progress: job.Progress{Percent: v.job.Progress.Percent + 1, Note: RandomText(m.rng)}},
		job.Checkpointed{Data: RandomJSON(m.rng)},
		job.ArtifactStored{Artifact: job.Artifact{Name: "film", Token: v.job.Token}},
		job.Succeeded{Result: RandomJSON(m.rng)},
		job.AttemptFailed{Failure: RandomFailure(m.rng), Jitter: m.rng.Float64()},
		job.AttemptFailed{Failure: RandomFailure(m.rng), Permanent: true},
		job.Snoozed{Delay: time.Minute},
		job.Released{Reason: "draining"},
	}
	if v.job.Status.Running() { // otherwise it speaks under the next token: see take
		events = append(events, job.CancelRequested{By: "ann", Node: v.job.Node})
	}
	steps := m.admitted(v.job, events...)
	if len(steps) == 0 {
		return false
	}
	s := oneOf(m.rng, steps)
	v.job = s.job
	if s.line != nil {
		v.pending = append(v.pending, *s.line)
	}
	return true
}

// take begins a new holder's view, from the row or from what some holder thinks: by a claim, or by an event that speaks under
// the next token.
func (m *storeMachine) take(t *rapid.T) {
	j := m.pick()
	from := oneOf(m.rng, j.views).job
	if j.row != nil && m.rng.IntN(3) > 0 {
		from = *j.row
	}
	if m.begin(j, from) == nil {
		t.Skip("nobody can take it")
	}
}

// begin adds a view to the job, if the core lets anybody take it from there.
func (m *storeMachine) begin(j *storedJob, from job.Job) *view {
	node := oneOf(m.rng, []string{"node-a", "node-b", "node-c"})
	steps := m.admitted(from,
		job.Claimed{Token: from.Token + 1, Node: node, Crashes: from.Crashes + m.rng.IntN(2)}, job.Claimed{Token: from.Token + 1 + m.rng.Int64N(3), Node: node},
		job.Redriven{By: "ann", Node: node}, job.Hastened{By: "ann", Node: node}, job.CancelRequested{By: "ann", Node: node},
	)
	for _, s := range steps {
		if s.job.Token == from.Token || j.holds(&s.job) {
			continue
		}
		v := &view{s.job, []job.Transition{*s.line}}
		j.views = append(j.views, v)
		return v
	}
	return nil
}

// attempt goes the usual way: it takes a job from its row and sees it some steps on, committing each.
func (m *storeMachine) attempt(t *rapid.T) {
	j := m.pick()
	if j.row == nil {
		t.Skip("no row yet")
	}
	v := m.begin(j, *j.row)
	if v == nil {
		t.Skip("nobody can take it")
	}
	for range 1 + m.rng.IntN(4) {
		m.send(t, v)
		if !m.advance(v) {
			break
		}
	}
	m.send(t, v)
}

// send commits what the views have not written yet.
func (m *storeMachine) send(t *rapid.T, views ...*view) {
	var batch []persistence.Write
	for _, v := range views {
		batch = append(batch, persistence.Write{Job: v.job, History: v.pending})
		v.pending = nil
	}
	m.past = append(m.past, batch...)
	m.write(t, batch)
}

// commit lets one holder of each of some jobs write.
func (m *storeMachine) commit(t *rapid.T) {
	var views []*view
	for _, i := range m.rng.Perm(len(m.jobs))[:1+m.rng.IntN(len(m.jobs))] {
		all := m.jobs[i].views
		views = append(views, all[len(all)-1-m.rng.IntN(min(3, len(all)))]) // late, but not too late to matter
	}
	m.send(t, views...)
}

// repeat writes something again, as after a lost answer.
func (m *storeMachine) repeat(t *rapid.T) {
	if len(m.past) == 0 {
		t.Skip("nothing was written yet")
	}
	m.write(t, []persistence.Write{oneOf(m.rng, m.past)})
}

func (m *storeMachine) write(t *rapid.T, batch []persistence.Write) {
	want := make([]persistence.Outcome, len(batch))
	for i, w := range batch {
		want[i] = m.stored(w.Job.ID).write(w, m.seen)
	}
	got, err := m.st.Commit(m.ctx, batch)
	ok(t, err)
	same(t, "outcomes", got, want)
}

func (m *storeMachine) stored(id job.ID) *storedJob {
	for _, j := range m.jobs {
		if j.views[0].job.ID == id {
			return j
		}
	}
	panic("storetest: a write of an unknown job")
}

func (m *storeMachine) cancel(t *rapid.T) {
	j := m.pick()
	if j.row == nil {
		t.Skip("no row")
	}
	said := job.NewCancel(RandomName(m.rng), RandomText(m.rng), m.tick())
	switch {
	case j.row.Status.Terminal():
	case j.row.Cancel != nil:
		m.seen["cancel requested again"]++
	default:
		row := *j.row
		row.Cancel = said
		j.row = &row
		m.seen["cancel requested"]++
	}
	got, err := m.st.RequestCancel(m.ctx, j.row.ID, *said)
	ok(t, err)
	m.sameRecord(t, got, j)
}

func (m *storeMachine) compare(t *rapid.T) {
	var want []*storedJob
	var ids []job.ID
	for _, j := range m.jobs {
		ids = append(ids, j.views[0].job.ID)
		if j.row != nil {
			want = append(want, j)
		}
	}
	got, err := m.st.Get(m.ctx, ids)
	ok(t, err)
	if len(got) != len(want) {
		t.Fatalf("%d rows, want %d", len(got), len(want))
	}
	for i, j := range want {
		m.sameRecord(t, got[i], j)
		lines, err := m.st.History(m.ctx, j.row.ID)
		ok(t, err)
		if diff := storedDiff(j.history, lines); diff != "" {
			t.Fatalf("history of job %s (-want +got):\n%s", j.row.ID, diff)
		}
	}
}

func (m *storeMachine) sameRecord(t *rapid.T, got persistence.Record, j *storedJob) {
	t.Helper()
	if diff := storedDiff(persistence.Record{Job: *j.row}, got); diff != "" {
		t.Fatalf("job %s (-want +got):\n%s", j.row.ID, diff)
	}
}
