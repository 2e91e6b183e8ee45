package storetest

import (
	"cmp"
	"slices"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

func (t *storeTest) waiting(queue string, limit int) []job.ID {
	t.Helper()
	ids, err := t.st.Waiting(t.ctx, queue, limit)
	t.check(err)
	return ids
}

// claimable is what waits in the queue, in the order of claims.
func claimable(jobs []job.Job, queue string) []job.ID {
	jobs = slices.DeleteFunc(slices.Clone(jobs), func(j job.Job) bool {
		due := j.Status == job.Queued || j.Status.Waiting() && !j.RunAt.After(time.Now())
		return j.Queue != queue || !due
	})
	slices.SortFunc(jobs, func(a, b job.Job) int { return cmp.Or(cmp.Compare(a.Priority, b.Priority), a.ID.Compare(b.ID)) })
	return jobIDs(jobs)
}

var waitingCases = []storeCase{
	{"what waits is claimable, of the queue, and in the order of claims", func(t *storeTest) {
		jobs := t.population(150)
		for i := range jobs {
			if jobs[i].RunAt = time.Now().Add(-long).UTC().Truncate(time.Microsecond); t.rng.IntN(2) == 0 {
				jobs[i].RunAt = jobs[i].RunAt.Add(2 * long)
			}
		}
		t.put(jobs...)
		for _, queue := range []string{"films", "post"} {
			want := claimable(jobs, queue)
			t.want("all that wait in "+queue, t.waiting(queue, persistence.MaxWaiting), want)
			t.want("a few", t.waiting(queue, 3), want[:min(3, len(want))])
		}
		t.want("in a queue that has none", t.waiting("absent", 10), []job.ID(nil))
	}},
	{"a job that is claimed waits no more, until it is handed back", func(t *storeTest) {
		j := t.submitted()
		t.put(j)
		t.want("queued", t.waiting(j.Queue, 1), []job.ID{j.ID})
		j = t.apply(j, job.Claimed{Token: 1, Node: "a"})
		t.want("processing", t.waiting(j.Queue, 1), []job.ID(nil))
		j = t.apply(j, job.Released{Reason: "draining"})
		t.want("handed back", t.waiting(j.Queue, 1), []job.ID{j.ID})
		j = t.apply(j, job.CancelRequested{By: "ann", Node: "a"})
		t.want("cancelled", t.waiting(j.Queue, 1), []job.ID(nil))
	}},
}
