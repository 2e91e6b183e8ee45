package storetest

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// Store runs the suite on the stores that open gives: each empty and migrated, and closed by the test's cleanup.
func Store(t *testing.T, open func(t *testing.T) persistence.Store, options ...StoreOption) {
	var o storeOptions
	for _, option := range options {
		option(&o)
	}
	for _, part := range [][]storeCase{commitCases, fieldCases, acceptCases, listCases, searchCases, liveCases, waitingCases, endCases, queueCases, lineCases, secretCases, incarnationCases} {
		for _, c := range part {
			t.Run(c.name, func(t *testing.T) { c.run(newStoreTest(t, open(t))) })
		}
	}
	if o.reopen != nil {
		t.Run("incarnations grow over a reopening", func(t *testing.T) {
			st := open(t)
			reopenedIncarnations(newStoreTest(t, st), func() persistence.Store { return o.reopen(t, st) })
		})
	}
	t.Run("random commands do what the fence and the core say", func(t *testing.T) { storeAgainstCore(t, open(t)) })
}

// StoreOption tells the suite what else a driver can show.
type StoreOption func(*storeOptions)

type storeOptions struct {
	reopen func(t *testing.T, st persistence.Store) persistence.Store
}

// StoreReopen closes a store and opens its data again, as a restarted node would.
func StoreReopen(reopen func(t *testing.T, st persistence.Store) persistence.Store) StoreOption {
	return func(o *storeOptions) { o.reopen = reopen }
}

type storeCase struct {
	name string
	run  func(*storeTest)
}

// storeTest is one subtest's hold on a store: its methods fail the test on any error.
type storeTest struct {
	*testing.T
	ctx context.Context
	st  persistence.Store
	rng *rand.Rand
}

func newStoreTest(t *testing.T, st persistence.Store) *storeTest {
	return &storeTest{T: t, ctx: testContext(t), st: st, rng: Random(t)}
}

func (t *storeTest) check(err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// submitted is a new job, made a moment after the last one, so that ids and times tell the order.
func (t *storeTest) submitted() job.Job { return job.New(RandomSpec(t.rng), time.Now()) }

// first is the write that a new job begins with.
func first(j job.Job) persistence.Write {
	return persistence.Write{Job: j, History: []job.Transition{j.FirstTransition()}}
}

// ended is a job of the status that ended at the time.
func (t *storeTest) ended(status job.Status, at time.Time) job.Job {
	j := RandomJobIn(t.rng, status)
	j.Finished = at.UTC().Truncate(time.Microsecond)
	j.Updated = j.Finished
	return j
}

func (t *storeTest) commit(writes ...persistence.Write) []persistence.Outcome {
	t.Helper()
	outcomes, err := t.st.Commit(t.ctx, writes)
	t.check(err)
	if len(outcomes) != len(writes) {
		t.Fatalf("%d outcomes of %d writes", len(outcomes), len(writes))
	}
	return outcomes
}

// put commits jobs as they are and wants them in force.
func (t *storeTest) put(jobs ...job.Job) {
	t.Helper()
	for part := range slices.Chunk(jobs, persistence.MaxBatch) {
		writes := make([]persistence.Write, len(part))
		for i := range part {
			writes[i] = first(part[i])
		}
		for i, o := range t.commit(writes...) {
			if !o.Applied {
				t.Fatalf("write %d of %d was not applied: %+v", i, len(writes), o.Current)
			}
		}
	}
}

// apply takes the job through an event, commits that and wants it in force.
func (t *storeTest) apply(j job.Job, e job.Event) job.Job {
	t.Helper()
	w := t.step(j, e)
	if o := t.commit(w)[0]; !o.Applied {
		t.Fatalf("%s was not applied: the row is %+v", job.Name(e), o.Current)
	}
	return w.Job
}

// step is the write that an event makes.
func (t *storeTest) step(j job.Job, e job.Event) persistence.Write {
	t.Helper()
	next, line, err := j.Apply(e, time.Now())
	t.check(err)
	if next.Cancel = j.Cancel; next.Life > j.Life {
		next.Cancel = nil // the store keeps word that RequestCancel left, and nothing else
	}
	w := persistence.Write{Job: next}
	if line != nil {
		w.History = []job.Transition{*line}
	}
	return w
}

func (t *storeTest) get(ids ...job.ID) []persistence.Record {
	t.Helper()
	records, err := t.st.Get(t.ctx, ids)
	t.check(err)
	return records
}

func (t *storeTest) wantJob(want job.Job) {
	t.Helper()
	if records := t.get(want.ID); len(records) != 1 {
		t.Errorf("%d records of job %s", len(records), want.ID)
	} else {
		t.want("job", records[0].Job, want)
	}
}

func (t *storeTest) history(id job.ID) []job.Transition {
	t.Helper()
	lines, err := t.st.History(t.ctx, id)
	t.check(err)
	return lines
}

func (t *storeTest) want(what string, got, want any) {
	t.Helper()
	if diff := storedDiff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// storedDiff compares what was stored with what is read: nil and empty are alike, a time must be the same moment in the same
// zone (stores keep UTC), everything else must be equal.
func storedDiff(want, got any) string { return cmp.Diff(want, got, storedOptions) }

var storedOptions = cmp.Options{
	sameBytes,
	cmp.Comparer(func(a, b time.Time) bool { return a.Format(time.RFC3339Nano) == b.Format(time.RFC3339Nano) }),
}

func jobIDs(jobs []job.Job) []job.ID {
	ids := make([]job.ID, len(jobs))
	for i := range jobs {
		ids[i] = jobs[i].ID
	}
	return ids
}

func recordIDs(records []persistence.Record) []job.ID {
	ids := make([]job.ID, len(records))
	for i := range records {
		ids[i] = records[i].Job.ID
	}
	return ids
}
