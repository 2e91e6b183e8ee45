package storetest

import (
	"context"
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
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.Uint64().Draw(rt, "seed")
		m := &storeMachine{ctx: ctx, st: st, rng: rand.New(rand.NewPCG(seed, seed)), now: time.Now()}
		for range 3 {
			m.submit()
		}
		rt.Repeat(map[string]func(*rapid.T){
			"":        m.compare,
			"event":   m.event,
			"take":    m.take,
			"commit":  m.commit,
			"repeat":  m.repeat,
			"cancel":  m.cancel,
			"event+1": m.event, // twice as often
		})
	})
}

type storeMachine struct {
	ctx  context.Context
	st   persistence.Store
	rng  *rand.Rand
	now  time.Time
	jobs []*storedJob
	past []persistence.Write
}

// storedJob is one job: the row as it must be, and what its holders think of it.
type storedJob struct {
	row      *job.Job // nil before the first commit
	history  []job.Transition
	cancelBy string
	views    []*view
}

// view is one node's knowledge of a job under one token: it alone continues it, so no two writes of equal fence differ.
type view struct {
	job     job.Job
	pending []job.Transition // not committed yet
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

func (m *storeMachine) pick(t *rapid.T) *storedJob { return rapid.SampledFrom(m.jobs).Draw(t, "job") }

// event lets a holder go on under its own token.
func (m *storeMachine) event(t *rapid.T) {
	v := rapid.SampledFrom(m.pick(t).views).Draw(t, "view")
	e := rapid.SampledFrom([]job.Event{
		job.Progressed{Progress: job.Progress{Percent: v.job.Progress.Percent + 1, Note: RandomText(m.rng)}}, job.Checkpointed{Data: RandomJSON(m.rng)},
		job.ArtifactStored{Artifact: job.Artifact{Name: "film", Token: v.job.Token}}, job.Succeeded{Result: RandomJSON(m.rng)},
		job.AttemptFailed{Failure: RandomFailure(m.rng), Jitter: m.rng.Float64()}, job.AttemptFailed{Failure: RandomFailure(m.rng), Permanent: true},
		job.Snoozed{Delay: time.Minute}, job.Released{Reason: "draining"}, job.CancelRequested{By: "ann", Node: v.job.Node},
	}).Draw(t, "event")
	if _, isRequest := e.(job.CancelRequested); isRequest && !v.job.Status.Running() {
		t.Skip("speaks under the next token: see take")
	}
	next, line, err := v.job.Apply(e, m.tick())
	if err != nil {
		t.Skip("the core refuses it")
	}
	v.job = next
	if line != nil {
		v.pending = append(v.pending, *line)
	}
}

// take begins a new holder's view from the row or from what some holder thinks: by a claim, or by an event that speaks under
// the next token.
func (m *storeMachine) take(t *rapid.T) {
	j := m.pick(t)
	from := rapid.SampledFrom(j.views).Draw(t, "from").job
	if j.row != nil && rapid.Bool().Draw(t, "from the row") {
		from = *j.row
	}
	node := nodes.Draw(t, "node")
	e := rapid.SampledFrom([]job.Event{
		job.Claimed{Token: from.Token + rapid.Int64Range(1, 3).Draw(t, "step"), Node: node, Crashes: from.Crashes + m.rng.IntN(2)},
		job.Redriven{By: "ann", Node: node}, job.Hastened{By: "ann", Node: node}, job.CancelRequested{By: "ann", Node: node},
	}).Draw(t, "event")
	next, line, err := from.Apply(e, m.tick())
	if err != nil || next.Token == from.Token {
		t.Skip("the core refuses it")
	}
	for _, v := range j.views {
		if v.job.Life == next.Life && v.job.Token == next.Token && v.job.Node == next.Node {
			t.Skip("the node has this token already")
		}
	}
	j.views = append(j.views, &view{next, []job.Transition{*line}})
}

// commit writes what one holder of each of some jobs has not written yet.
func (m *storeMachine) commit(t *rapid.T) {
	var batch []persistence.Write
	for _, j := range rapid.SliceOfNDistinct(rapid.SampledFrom(m.jobs), 1, len(m.jobs), rapid.ID[*storedJob]).Draw(t, "jobs") {
		v := rapid.SampledFrom(j.views).Draw(t, "view")
		batch = append(batch, persistence.Write{Job: v.job, History: v.pending})
		v.pending = nil
	}
	m.past = append(m.past, batch...)
	m.write(t, batch)
}

// repeat writes something again, as after a lost answer.
func (m *storeMachine) repeat(t *rapid.T) {
	if len(m.past) == 0 {
		t.Skip("nothing was written yet")
	}
	m.write(t, []persistence.Write{rapid.SampledFrom(m.past).Draw(t, "write")})
}

func (m *storeMachine) write(t *rapid.T, batch []persistence.Write) {
	want := make([]persistence.Outcome, len(batch))
	for i, w := range batch {
		want[i] = m.stored(w.Job.ID).write(w)
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

// write is the rule of the fence.
func (j *storedJob) write(w persistence.Write) persistence.Outcome {
	if j.row != nil {
		row, write := persistence.FenceOf(j.row), persistence.FenceOf(&w.Job)
		if row == write {
			return persistence.Outcome{Applied: true}
		}
		if !row.Admits(write) {
			return persistence.Outcome{Current: row}
		}
		if write.Life > row.Life {
			j.cancelBy = ""
		}
	}
	j.row = &w.Job
	j.history = append(j.history, w.History...)
	return persistence.Outcome{Applied: true}
}

func (m *storeMachine) cancel(t *rapid.T) {
	j := m.pick(t)
	if j.row == nil || j.cancelBy != "" {
		t.Skip("no row, or word was left before")
	}
	if !j.row.Status.Terminal() {
		j.cancelBy = "ann"
	}
	got, err := m.st.RequestCancel(m.ctx, j.row.ID, "ann")
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
	if diff := storedDiff(persistence.Record{Job: *j.row, CancelBy: j.cancelBy}, got); diff != "" {
		t.Fatalf("job %s (-want +got):\n%s", j.row.ID, diff)
	}
}
