package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

func (t *storeTest) accept(writes ...persistence.Write) []persistence.Acceptance {
	t.Helper()
	answers, err := t.st.Accept(t.ctx, writes)
	t.check(err)
	if len(answers) != len(writes) {
		t.Fatalf("%d answers to %d writes", len(answers), len(writes))
	}
	return answers
}

// keyed is a new job's write with a key.
func (t *storeTest) keyed(k *persistence.Key) persistence.Write {
	w := first(t.submitted())
	w.Key = k
	return w
}

// keySlack is how far a key's end may be off: acceptance is somewhere between the job's making and the commit.
const keySlack = 10 * time.Second

func (t *storeTest) wantKey(got persistence.BoundKey, w persistence.Write) {
	t.Helper()
	if end := w.Job.Created.Add(w.Key.TTL); got.Expires.Sub(end).Abs() > keySlack {
		t.Errorf("the key binds until %v, want about %v", got.Expires, end)
	}
	got.Expires = time.Time{}
	t.want("key", got, persistence.BoundKey{Scope: w.Key.Scope, Key: w.Key.Key, Job: w.Job.ID, Fingerprint: w.Key.Fingerprint})
}

func (t *storeTest) findKey(k *persistence.Key) (persistence.BoundKey, bool) {
	t.Helper()
	found, err := t.st.FindKey(t.ctx, k.Scope, k.Key)
	if errors.Is(err, persistence.ErrNotFound) {
		return found, false
	}
	t.check(err)
	return found, true
}

var acceptCases = []storeCase{
	{"accepted jobs are there, with history and key", func(t *storeTest) {
		with, without := t.keyed(key("ann", "k", "f")), first(t.submitted())
		t.want("answers", t.accept(with, without), []persistence.Acceptance{{Accepted: true}, {Accepted: true}})
		for _, w := range []persistence.Write{with, without} {
			t.wantJob(w.Job)
			t.want("history", t.history(w.Job.ID), w.History)
		}
		found, _ := t.findKey(with.Key)
		t.wantKey(found, with)
		t.want("none", t.accept(), []persistence.Acceptance(nil))
	}},
	{"a key that another job holds refuses the write alone and names the job", func(t *storeTest) {
		holder, late, other := t.keyed(key("ann", "k", "f1")), t.keyed(key("ann", "k", "f2")), t.keyed(key("ann", "k2", "f3"))
		t.accept(holder)
		answers := t.accept(late, other)
		t.want("accepted", []bool{answers[0].Accepted, answers[1].Accepted}, []bool{false, true})
		t.wantKey(answers[0].Holder, holder)
		t.want("ids", recordIDs(t.get(holder.Job.ID, late.Job.ID, other.Job.ID)), []job.ID{holder.Job.ID, other.Job.ID})
	}},
	{"accepting the same again is in force and changes nothing", func(t *storeTest) {
		w := t.keyed(key("ann", "k", "f"))
		for range 3 {
			t.want("answers", t.accept(w), []persistence.Acceptance{{Accepted: true}})
		}
		t.want("history", t.history(w.Job.ID), w.History)
	}},
	{"of two writes in one batch with one key, one is made", func(t *storeTest) {
		a, b := t.keyed(key("ann", "k", "f")), t.keyed(key("ann", "k", "f"))
		answers := t.accept(a, b)
		winner, loser := a, b
		if answers[1].Accepted {
			winner, loser, answers = b, a, []persistence.Acceptance{answers[1], answers[0]}
		}
		t.want("accepted", []bool{answers[0].Accepted, answers[1].Accepted}, []bool{true, false})
		t.wantKey(answers[1].Holder, winner)
		t.want("ids", recordIDs(t.get(winner.Job.ID, loser.Job.ID)), []job.ID{winner.Job.ID})
	}},
	{"of many at once one gets the key", func(t *storeTest) {
		for round := range 5 {
			const clients = 8
			writes := make([]persistence.Write, clients)
			for i := range writes {
				writes[i] = t.keyed(key("ann", fmt.Sprint("k", round), fmt.Sprint("f", i)))
			}
			answers := make([]persistence.Acceptance, clients)
			var wg sync.WaitGroup
			for i := range writes {
				wg.Go(func() {
					got, err := t.st.Accept(t.ctx, writes[i:i+1])
					if err != nil || len(got) != 1 {
						t.Errorf("accept: %v, %d answers", err, len(got))
						return
					}
					answers[i] = got[0]
				})
			}
			wg.Wait()
			winner := slices.IndexFunc(answers, func(a persistence.Acceptance) bool { return a.Accepted })
			if winner < 0 {
				t.Fatal("nobody got the key")
			}
			for i, a := range answers {
				if i != winner {
					t.want("accepted", a.Accepted, false)
					t.wantKey(a.Holder, writes[winner])
					t.want("records of a refused job", t.get(writes[i].Job.ID), []persistence.Record(nil))
				}
			}
			t.wantJob(writes[winner].Job)
		}
	}},
	{"batches with the same keys in any order do not block each other", func(t *storeTest) {
		const clients, rounds, keys = 4, 6, 20
		var wg sync.WaitGroup
		for range clients {
			batches := make([][]persistence.Write, rounds)
			for r := range batches {
				for _, k := range t.rng.Perm(keys) {
					batches[r] = append(batches[r], t.keyed(key("ann", fmt.Sprint(r, "-", k), "f")))
				}
			}
			wg.Go(func() {
				for _, batch := range batches {
					if _, err := t.st.Accept(t.ctx, batch); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		all, err := t.st.Keys(t.ctx, persistence.BoundKey{}, 2*rounds*keys)
		t.check(err)
		t.want("keys", len(all), rounds*keys)
	}},
	{"committing binds a key as well", func(t *storeTest) {
		w := t.keyed(key("ann", "k", "f"))
		t.commit(w)
		found, _ := t.findKey(w.Key)
		t.wantKey(found, w)
		t.want("accepted", t.accept(t.keyed(w.Key))[0].Accepted, false)
		t.commit(t.step(w.Job, job.Claimed{Token: 1, Node: "a"})) // without the key
		found, _ = t.findKey(w.Key)
		t.wantKey(found, w)
	}},
	{"a key binds for its time and no longer", func(t *storeTest) {
		k := key("ann", "k", "f")
		k.TTL = 300 * time.Millisecond
		t.accept(t.keyed(k))
		eventually(t, "the key is not found", func() bool { _, found := t.findKey(k); return !found })
		all, err := t.st.Keys(t.ctx, persistence.BoundKey{}, 10)
		t.check(err)
		t.want("keys", all, []persistence.BoundKey(nil))
		again := t.keyed(key("ann", "k", "f2"))
		t.want("answers", t.accept(again), []persistence.Acceptance{{Accepted: true}})
		found, _ := t.findKey(again.Key)
		t.wantKey(found, again)
	}},
	{"keys are read page by page, in the order of scope and key", func(t *storeTest) {
		var writes []persistence.Write
		for _, scope := range []string{"", "B", "a", "a b", "é", "b"} {
			for _, k := range []string{"1", "10", "2", "Z", "z", "🎬"} {
				writes = append(writes, t.keyed(key(scope, k, "f")))
			}
		}
		t.accept(writes...)
		seen := make(map[[2]string]bool)
		var after persistence.BoundKey
		for range len(writes) {
			page, err := t.st.Keys(t.ctx, after, 5)
			t.check(err)
			if len(page) == 0 {
				break
			}
			if len(page) > 5 {
				t.Fatalf("%d keys, asked for 5", len(page))
			}
			for _, k := range page {
				if seen[[2]string{k.Scope, k.Key}] {
					t.Fatalf("key %q of %q comes twice", k.Key, k.Scope)
				}
				seen[[2]string{k.Scope, k.Key}] = true
				after = k
			}
		}
		t.want("keys seen", len(seen), len(writes))
	}},
}
