package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// asked is a time at which somebody asked that a job be stopped.
var asked = time.Date(2026, 2, 3, 4, 5, 6, 789_000, time.UTC)

func word(by string) job.Cancel { return job.Cancel{By: by, Reason: "too costly", At: asked} }

func (t *storeTest) requestCancel(id job.ID, word job.Cancel) persistence.Record {
	t.Helper()
	r, err := t.st.RequestCancel(t.ctx, id, word)
	t.check(err)
	return r
}

// first is a new job that was put into the store.
func (t *storeTest) first() job.Job {
	t.Helper()
	j := t.submitted()
	t.put(j)
	return j
}

// listed is the job as each way of reading it but Get tells of it.
func (t *storeTest) listed(id job.ID) []persistence.Record {
	t.Helper()
	live, err := t.st.Live(t.ctx, job.ID{}, persistence.MaxPage)
	t.check(err)
	for _, q := range []persistence.Query{{IDs: []job.ID{id}}, {}, {Texts: []string{"."}, Bounded: true}} {
		for _, j := range t.list(q).Jobs {
			live = append(live, persistence.Record{Job: j})
		}
	}
	return slices.DeleteFunc(live, func(r persistence.Record) bool { return r.Job.ID != id })
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
		j.Cancel = new(word("ann"))
		t.want("record", t.requestCancel(j.ID, word("ann")), persistence.Record{Job: j})
		for _, e := range []job.Event{job.Progressed{Progress: job.Progress{Percent: 1}}, job.Checkpointed{}, job.Released{}} {
			if !j.Status.Running() { // by a node that was not told
				j.Cancel = nil
				j = t.apply(j, job.Claimed{Token: j.Token + 1, Node: "a"})
				j.Cancel = new(word("ann"))
			}
			j = t.apply(j, e)
			t.want("record", t.get(j.ID), []persistence.Record{{Job: j}})
		}
	}},
	{"word to cancel is the same by every way of reading", func(t *storeTest) {
		j := t.submitted()
		t.put(j, t.submitted())
		t.requestCancel(j.ID, word("ann"))
		for _, e := range []job.Event{nil, job.CancelRequested{By: "bob", Node: "a"}} { // while it waits, and once it has ended
			if e != nil {
				j = t.apply(j, e)
			}
			for i, r := range append(t.listed(j.ID), t.get(j.ID)...) {
				t.want(fmt.Sprint("reading ", i), r.Job.Cancel, new(word("ann")))
			}
		}
	}},
	{"the first word to cancel stands", func(t *storeTest) {
		j := t.submitted()
		t.put(j)
		j.Cancel = new(word("ann"))
		t.requestCancel(j.ID, word("ann"))
		t.want("record", t.requestCancel(j.ID, job.Cancel{By: "bob", Reason: "another", At: asked.Add(time.Hour)}), persistence.Record{Job: j})
		t.want("record", t.get(j.ID), []persistence.Record{{Job: j}})
	}},
	{"of words at once all are answered the one that stands", func(t *storeTest) {
		j := t.submitted()
		t.put(j)
		answers := make([]persistence.Record, 8)
		var at sync.WaitGroup
		for i := range answers {
			at.Go(func() {
				r, err := t.st.RequestCancel(t.ctx, j.ID, word(fmt.Sprint("caller-", i)))
				if err != nil {
					t.Error(err)
				}
				answers[i] = r
			})
		}
		at.Wait()
		for _, r := range answers {
			t.want("answer", r, answers[0])
		}
		t.want("record", t.get(j.ID), answers[:1])
	}},
	{"any text is kept in word to cancel, within its bounds", func(t *storeTest) {
		for _, text := range []string{"", "{", `{"by":"bob"}`, "\"><script>alert(1)</script>", "a\x00b", "\xff\xfe", "\u2028 \x1b[2J 🙂", strings.Repeat("é", job.MaxCancelReason/2)} {
			j := t.submitted()
			t.put(j)
			said := job.Cancel{By: text[:min(len(text), job.MaxCancelBy)], Reason: text, At: asked}
			kept := job.NewCancel(said.By, said.Reason, said.At)
			j.Cancel = kept
			t.want(fmt.Sprintf("record of %q", text), t.requestCancel(j.ID, said), persistence.Record{Job: j})
		}
		j := t.submitted()
		t.put(j)
		for _, said := range []job.Cancel{{By: strings.Repeat("x", job.MaxCancelBy+1)}, {Reason: strings.Repeat("x", job.MaxCancelReason+1)}} {
			if _, err := t.st.RequestCancel(t.ctx, j.ID, said); !errors.Is(err, persistence.ErrInvalid) {
				t.Errorf("word beyond its bounds: %v, want ErrInvalid", err)
			}
		}
		t.want("record", t.get(j.ID), []persistence.Record{{Job: j}})
	}},
	{"a job that has ended takes no word", func(t *storeTest) {
		for _, status := range []job.Status{job.Completed, job.Failed, job.Cancelled} {
			j := RandomJobIn(t.rng, status)
			t.put(j)
			t.want("record", t.requestCancel(j.ID, word("ann")), persistence.Record{Job: j})
			t.want("record", t.get(j.ID), []persistence.Record{{Job: j}})
		}
	}},
	{"word to cancel outlives the end of its life", func(t *storeTest) {
		for _, e := range []job.Event{job.Succeeded{}, job.AttemptFailed{Permanent: true}, job.CancelRequested{By: "bob", Node: "a"}} {
			j := t.apply(t.first(), job.Claimed{Token: 1, Node: "a"})
			t.requestCancel(j.ID, word("ann"))
			j.Cancel = new(word("ann"))
			if j = t.apply(j, e); !j.Status.Terminal() {
				j = t.apply(j, job.Released{})
			}
			t.want("record", t.get(j.ID), []persistence.Record{{Job: j}})
			want := job.CancelTooLate
			if j.Status == job.Cancelled {
				want = job.CancelConfirmed
			}
			t.want("state", j.CancelState(), want)
		}
	}},
	{"a commit writes no word to cancel, and clears none", func(t *storeTest) {
		j := t.submitted()
		claimed := t.step(j, job.Claimed{Token: 1, Node: "a"})
		claimed.Job.Cancel = new(word("bob"))
		t.commit(claimed)
		claimed.Job.Cancel = nil
		t.want("record", t.get(j.ID), []persistence.Record{{Job: claimed.Job}})
		t.requestCancel(j.ID, word("ann"))
		next := t.step(claimed.Job, job.Succeeded{})
		t.commit(next)
		next.Job.Cancel = new(word("ann"))
		t.want("record", t.get(j.ID), []persistence.Record{{Job: next.Job}})
	}},
	{"word to cancel does not reach into the next life", func(t *storeTest) {
		j := t.first()
		t.requestCancel(j.ID, word("ann"))
		j = t.apply(j, job.CancelRequested{By: "ann", Node: "a"})
		j = t.apply(j, job.Redriven{By: "bob", Node: "a"})
		t.want("record", t.get(j.ID), []persistence.Record{{Job: j}})
		j.Cancel = new(word("bob"))
		t.want("record", t.requestCancel(j.ID, word("bob")), persistence.Record{Job: j})
	}},
	{"word to cancel no job is not found", func(t *storeTest) {
		if _, err := t.st.RequestCancel(t.ctx, NewID(t.rng, time.Now()), word("ann")); !errors.Is(err, persistence.ErrNotFound) {
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
