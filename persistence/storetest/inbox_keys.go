package storetest

import (
	"sync"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

func key(scope, key, fingerprint string) *persistence.Key {
	return &persistence.Key{Scope: scope, Key: key, Fingerprint: fingerprint, TTL: long}
}

func (t *inboxTest) keyed(k *persistence.Key) persistence.Entry {
	e := t.entry(1)
	e.Key = k
	return e
}

var keyCases = []inboxCase{
	{"a key that another job holds refuses the entry and names the job", func(t *inboxTest) {
		first, second, free := t.keyed(key("ann", "k", "f1")), t.keyed(key("ann", "k", "f2")), t.entry(1)
		t.enqueue(first)
		t.want("answers", t.offer(second, free), []persistence.Enqueued{{Holder: first.ID, Fingerprint: "f1"}, {Accepted: true}})
		t.want("known", t.known(first.ID, second.ID, free.ID), []bool{true, false, true})
		t.wantDepth(2, 0, 0, 0)
	}},
	{"a job's own key does not refuse it", func(t *inboxTest) {
		e := t.keyed(key("ann", "k", "f"))
		t.enqueue(e)
		t.enqueue(e)
		t.wantDepth(1, 0, 0, 0)
	}},
	{"of two entries in one batch with one key the first has it", func(t *inboxTest) {
		first, second := t.keyed(key("ann", "k", "f1")), t.keyed(key("ann", "k", "f2"))
		t.want("answers", t.offer(first, second), []persistence.Enqueued{{Accepted: true}, {Holder: first.ID, Fingerprint: "f1"}})
	}},
	{"equal keys in different scopes are different keys", func(t *inboxTest) {
		t.enqueue(t.keyed(key("a", "b:c", "f")), t.keyed(key("a:b", "c", "f")), t.keyed(key("", "a:b:c", "f")), t.keyed(key("a", "B:c", "f")))
		t.wantDepth(4, 0, 0, 0)
	}},
	{"keys and scopes are any text", func(t *inboxTest) {
		for i, text := range texts {
			t.enqueue(t.keyed(key(text, "key "+text, "f")))
			if t.offer(t.keyed(key(text, "key "+text, "f")))[0].Accepted {
				t.Errorf("key %d, %q, was taken twice", i, text)
			}
		}
	}},
	{"a key outlasts its job in the inbox", func(t *inboxTest) {
		e := t.keyed(key("ann", "k", "f"))
		t.enqueue(e)
		t.end(t.claimOne(e.ID), persistence.Ack, time.Time{})
		t.want("answers", t.offer(t.keyed(key("ann", "k", "f"))), []persistence.Enqueued{{Holder: e.ID, Fingerprint: "f"}})
	}},
	{"a key binds for its time and no longer", func(t *inboxTest) {
		k := key("ann", "k", "f")
		k.TTL = 20 * time.Millisecond
		t.enqueue(t.keyed(k))
		eventually(t, "the key is free", func() bool { return t.offer(t.keyed(k))[0].Accepted })
	}},
	{"of many at once one gets the key", func(t *inboxTest) {
		const clients = 8
		answers := make([]persistence.Enqueued, clients)
		entries := make([]persistence.Entry, clients)
		for i := range entries {
			entries[i] = t.keyed(key("ann", "k", "f"))
		}
		var wg sync.WaitGroup
		for i := range entries {
			wg.Go(func() {
				got, err := t.in.Enqueue(t.ctx, t.queue, entries[i:i+1])
				if err != nil || len(got) != 1 {
					t.Errorf("enqueue: %v, %d answers", err, len(got))
					return
				}
				answers[i] = got[0]
			})
		}
		wg.Wait()
		var winner job.ID
		for i, a := range answers {
			if a.Accepted {
				if !winner.IsZero() {
					t.Fatal("two jobs got the key")
				}
				winner = entries[i].ID
			}
		}
		for _, a := range answers {
			if !a.Accepted && a.Holder != winner {
				t.Errorf("the answer names %s, the key is %s's", a.Holder, winner)
			}
		}
		t.wantDepth(1, 0, 0, 0)
	}},
}
