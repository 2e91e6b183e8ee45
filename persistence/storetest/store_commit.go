package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

var commitCases = []storeCase{
	{"a job goes through its lives", func(t *storeTest) {
		j := t.submitted()
		t.put(j)
		for _, e := range []job.Event{
			job.Claimed{Token: 1, Node: "a"},
			job.Progressed{Progress: job.Progress{Percent: 40}},
			job.Checkpointed{Data: []byte(`{"n":1}`)},
			job.AttemptFailed{Failure: RandomFailure(t.rng), Permanent: true},
			job.Redriven{By: "ann", Node: "b"},
			job.Claimed{Token: 7, Node: "b"},
			job.CancelRequested{By: "ann"},
			job.Released{},
			job.Redriven{Node: "a"},
			job.Claimed{Token: 9, Node: "c"},
			job.Succeeded{Result: []byte(`"done"`)},
		} {
			j = t.apply(j, e)
			t.wantJob(j)
		}
		t.want("lines of history", len(t.history(j.ID)), 11)
	}},
	{"a repeated write is in force and changes nothing", func(t *storeTest) {
		j := t.submitted()
		w := first(j)
		claimed := t.step(j, job.Claimed{Token: 1, Node: "a"})
		for _, again := range []persistence.Write{w, w, claimed, claimed} {
			t.want("outcome", t.commit(again), []persistence.Outcome{{Applied: true}})
		}
		t.wantJob(claimed.Job)
		t.want("history", t.history(j.ID), append(w.History, claimed.History...))
		t.want("outcome of the first write, overtaken", t.commit(w), []persistence.Outcome{{Current: persistence.FenceOf(&claimed.Job)}})
		done := t.step(claimed.Job, job.Succeeded{})
		for range 2 {
			t.want("outcome", t.commit(done), []persistence.Outcome{{Applied: true}})
		}
	}},
	{"a write that says again what was written, and more, adds what is new", func(t *storeTest) {
		j := t.submitted()
		t.put(j)
		claimed := t.step(j, job.Claimed{Token: 1, Node: "a"})
		t.commit(claimed)
		done := t.step(claimed.Job, job.Succeeded{})
		done.History = append(claimed.History, done.History...)
		t.want("outcome", t.commit(done), []persistence.Outcome{{Applied: true}})
		t.want("history", t.history(j.ID), append(first(j).History, done.History...))
	}},
	{"a stale token changes nothing and learns the row's fence", func(t *storeTest) {
		j := t.submitted()
		t.put(j)
		old := t.apply(j, job.Claimed{Token: 1, Node: "a"})
		row := t.apply(old, job.Claimed{Token: 2, Node: "b"})
		late := t.step(old, job.Succeeded{Result: []byte(`"late"`)})
		t.want("outcome", t.commit(late), []persistence.Outcome{{Current: persistence.FenceOf(&row)}})
		t.wantJob(row)
		t.want("lines of history", len(t.history(j.ID)), 3)
	}},
	{"of two nodes under one token the first to write has it for good", func(t *storeTest) {
		j := t.submitted()
		t.put(j)
		winner := t.apply(j, job.Claimed{Token: 5, Node: "a"})
		loser := t.step(j, job.Claimed{Token: 5, Node: "b"})
		t.want("claim", t.commit(loser), []persistence.Outcome{{Current: persistence.FenceOf(&winner)}})
		ended := t.step(t.step(loser.Job, job.Progressed{Progress: job.Progress{Percent: 9}}).Job, job.Succeeded{})
		t.want("end", t.commit(ended), []persistence.Outcome{{Current: persistence.FenceOf(&winner)}})
		t.apply(winner, job.Succeeded{})
	}},
	{"a life that ended stays ended, also under a greater token", func(t *storeTest) {
		for _, end := range []job.Event{job.Succeeded{}, job.AttemptFailed{Failure: RandomFailure(t.rng), Permanent: true}, job.Released{}} {
			j := t.submitted()
			t.put(j)
			j = t.apply(j, job.Claimed{Token: 1, Node: "a"})
			zombie := t.step(j, job.Claimed{Token: 8, Node: "b"})
			if _, released := end.(job.Released); released {
				j = t.apply(j, job.CancelRequested{})
			}
			j = t.apply(j, end)
			t.want("outcome", t.commit(zombie), []persistence.Outcome{{Current: persistence.FenceOf(&j)}})
			t.wantJob(j)
		}
	}},
	{"a redrive needs the next life, a life that failed and a greater token", func(t *storeTest) {
		for _, status := range []job.Status{job.Completed, job.Failed, job.Cancelled, job.Processing} {
			j := RandomJobIn(t.rng, status)
			t.put(j)
			for _, change := range []func(*job.Job){
				func(r *job.Job) { r.Life += 2 },
				func(r *job.Job) { r.Life -= 2 },
				func(r *job.Job) { r.Token = j.Token },
				func(r *job.Job) { r.Rev = j.Rev },
			} {
				r := redriven(j)
				change(&r)
				t.want("outcome", t.commit(first(r)), []persistence.Outcome{{Current: persistence.FenceOf(&j)}})
			}
			o := t.commit(first(redriven(j)))[0]
			if want := status == job.Failed || status == job.Cancelled; o.Applied != want {
				t.Errorf("a redrive of a %s job: applied %v", status, o.Applied)
			}
		}
	}},
	{"a row may begin at any point of a life", func(t *storeTest) {
		for _, status := range job.Statuses {
			j := RandomJobIn(t.rng, status)
			t.put(j)
			t.wantJob(j)
		}
	}},
	{"outcomes are in the order of the writes, and none hinders another", func(t *storeTest) {
		stale, fresh, repeated := t.submitted(), t.submitted(), t.submitted()
		t.put(stale, repeated)
		row := t.apply(stale, job.Claimed{Token: 3, Node: "a"})
		got := t.commit(t.step(stale, job.Claimed{Token: 2, Node: "b"}), first(fresh), first(repeated))
		t.want("outcomes", got, []persistence.Outcome{{Current: persistence.FenceOf(&row)}, {Applied: true}, {Applied: true}})
		t.want("none", t.commit(), []persistence.Outcome(nil))
	}},
	{"a batch of the bound is taken and one over it is refused", func(t *storeTest) {
		jobs := make([]job.Job, persistence.MaxBatch+1)
		writes := make([]persistence.Write, len(jobs))
		for i := range jobs {
			jobs[i] = t.submitted()
			writes[i] = first(jobs[i])
		}
		if _, err := t.st.Commit(t.ctx, writes); err == nil {
			t.Errorf("%d writes were taken, the bound is %d", len(writes), persistence.MaxBatch)
		}
		t.put(jobs[1:]...)
		t.want("records", len(t.get(jobIDs(jobs[1:])...)), persistence.MaxBatch)
	}},
	{"what can never be stored fails the whole batch as invalid", func(t *storeTest) {
		for _, note := range []string{"nul \x00", "cut \xc3", "\xff"} {
			good, bad := t.submitted(), RandomJobIn(t.rng, job.Processing)
			bad.Progress.Note = note
			_, err := t.st.Commit(t.ctx, []persistence.Write{first(good), first(bad)})
			if err == nil { // this store can
				t.wantJob(bad)
				continue
			}
			if !errors.Is(err, persistence.ErrInvalid) {
				t.Errorf("a note %q: %v, want ErrInvalid", note, err)
			}
			t.want("records", t.get(good.ID, bad.ID), []persistence.Record(nil))
		}
	}},
	{"writers of the same jobs in any order end in the newest state", func(t *storeTest) {
		const writers, batches, perBatch, jobs = 6, 12, 40, 60
		all := make([]job.Job, jobs)
		for i := range all {
			all[i] = t.submitted()
		}
		t.put(all...)
		var wg sync.WaitGroup
		for n := range writers {
			rng := rand.New(rand.NewPCG(t.rng.Uint64(), uint64(n)))
			wg.Go(func() {
				for b := range batches {
					token := int64(1 + b*writers + n)
					var batch []persistence.Write
					for _, i := range rng.Perm(jobs)[:perBatch] {
						next, line, err := all[i].Apply(job.Claimed{Token: token, Node: fmt.Sprint("node-", n)}, time.Now())
						if err != nil {
							t.Error(err)
							return
						}
						batch = append(batch, persistence.Write{Job: next, History: []job.Transition{*line}})
					}
					if _, err := t.st.Commit(t.ctx, batch); err != nil {
						t.Errorf("writer %d, batch %d: %v", n, b, err)
						return
					}
				}
			})
		}
		wg.Wait()
		for _, j := range all {
			lines := t.history(j.ID)
			row := t.get(j.ID)[0].Job
			last := lines[len(lines)-1]
			t.want("the row's rev and the last line's", row.Rev, last.Rev)
			for i := 1; i < len(lines); i++ {
				if lines[i].Rev <= lines[i-1].Rev {
					t.Errorf("job %s: rev %d follows %d", j.ID, lines[i].Rev, lines[i-1].Rev)
				}
			}
		}
	}},
}

// redriven is what a redrive makes of a job, whether the core would or not.
func redriven(j job.Job) job.Job {
	j.Life++
	j.Status, j.Token, j.Finished = job.Queued, j.Token+1, time.Time{}
	j.Rev = j.Token*job.RevsPerToken + 1
	return j
}
