package storetest

import (
	"errors"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

func (t *storeTest) requestCancel(id job.ID, by string) persistence.Record {
	t.Helper()
	r, err := t.st.RequestCancel(t.ctx, id, by)
	t.check(err)
	return r
}

func (t *storeTest) wantGone(ids ...job.ID) {
	t.Helper()
	t.want("records", t.get(ids...), []persistence.Record(nil))
	for _, id := range ids {
		if _, err := t.st.History(t.ctx, id); !errors.Is(err, persistence.ErrNotFound) {
			t.Errorf("the history of a job that is gone: %v, want ErrNotFound", err)
		}
	}
}

var endCases = []storeCase{
	{"word to cancel stays on the row and is outside the fence", func(t *storeTest) {
		j := t.submitted()
		t.put(j)
		t.want("record", t.requestCancel(j.ID, "ann"), persistence.Record{Job: j, CancelBy: "ann"})
		for _, e := range []job.Event{job.Claimed{Token: 1, Node: "a"}, job.Progressed{Progress: job.Progress{Percent: 1}}, job.Released{}} {
			j = t.apply(j, e)
			t.want("record", t.get(j.ID), []persistence.Record{{Job: j, CancelBy: "ann"}})
		}
	}},
	{"a job that has ended takes no word", func(t *storeTest) {
		for _, status := range []job.Status{job.Completed, job.Failed, job.Cancelled} {
			j := RandomJobIn(t.rng, status)
			t.put(j)
			t.want("record", t.requestCancel(j.ID, "ann"), persistence.Record{Job: j})
			t.want("record", t.get(j.ID), []persistence.Record{{Job: j}})
		}
	}},
	{"word to cancel does not reach into the next life", func(t *storeTest) {
		j := t.submitted()
		t.put(j)
		t.requestCancel(j.ID, "ann")
		j = t.apply(j, job.CancelRequested{By: "ann", Node: "a"})
		j = t.apply(j, job.Redriven{By: "bob", Node: "a"})
		t.want("record", t.get(j.ID), []persistence.Record{{Job: j}})
	}},
	{"word to cancel no job is not found", func(t *storeTest) {
		if _, err := t.st.RequestCancel(t.ctx, NewID(t.rng, time.Now()), "ann"); !errors.Is(err, persistence.ErrNotFound) {
			t.Errorf("%v, want ErrNotFound", err)
		}
	}},
	{"deleting removes jobs that have ended, and says which", func(t *storeTest) {
		var ended, live []job.ID
		for _, status := range job.Statuses {
			j := RandomJobIn(t.rng, status)
			t.put(j)
			if status.Terminal() {
				ended = append(ended, j.ID)
			} else {
				live = append(live, j.ID)
			}
		}
		asked := append(append([]job.ID{NewID(t.rng, time.Now())}, live...), ended...)
		removed, err := t.st.Delete(t.ctx, asked)
		t.check(err)
		t.want("removed", sortedIDs(removed), sortedIDs(ended))
		t.wantGone(ended...)
		t.want("kept", recordIDs(t.get(live...)), live)
		t.want("lines of a kept history", len(t.history(live[0])), 1)
		removed, err = t.st.Delete(t.ctx, nil)
		t.check(err)
		t.want("removed of none", removed, []job.ID(nil))
	}},
	{"pruning removes jobs that ended before the time, some at a time", func(t *storeTest) {
		line := time.Now().Add(-24 * time.Hour).UTC().Truncate(time.Microsecond)
		var old []job.ID
		for i := range 7 {
			j := t.ended([]job.Status{job.Completed, job.Failed, job.Cancelled}[i%3], line.Add(-time.Duration(i+1)*time.Microsecond))
			t.put(j)
			old = append(old, j.ID)
		}
		at, young, live := t.ended(job.Completed, line), t.ended(job.Failed, time.Now()), RandomJobIn(t.rng, job.Processing)
		live.Updated = line.Add(-long)
		t.put(at, young, live)
		var pruned []job.ID
		for range old {
			some, err := t.st.Prune(t.ctx, line, 3)
			t.check(err)
			if len(some) > 3 {
				t.Fatalf("%d were pruned, asked for 3", len(some))
			}
			pruned = append(pruned, some...)
		}
		t.want("pruned", sortedIDs(pruned), sortedIDs(old))
		t.wantGone(old...)
		t.want("kept", recordIDs(t.get(at.ID, young.ID, live.ID)), []job.ID{at.ID, young.ID, live.ID})
	}},
	{"pruning leaves keys that still bind", func(t *storeTest) {
		w := t.keyed(key("ann", "k", "f"))
		t.accept(w)
		_, err := t.st.Prune(t.ctx, time.Now().Add(-long), 10)
		t.check(err)
		found, _ := t.findKey(w.Key)
		t.wantKey(found, w)
	}},
}
