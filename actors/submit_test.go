package actors_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

func settleAs(node string, id job.ID, token int64) []persistence.Settlement {
	return []persistence.Settlement{{Lease: persistence.Lease{ID: id, Token: token, Node: node}, Verb: persistence.Return}}
}

var noop = map[string]actors.Handler{"noop": func(context.Context, *actors.Job) error { return nil }}

func TestAcceptedJobIsInTheStoreWithinAMomentOfItsAnswer(t *testing.T) {
	n := embedded(t).start(t, noop)
	for _, queue := range []string{"default", "safe"} {
		id := n.submit("noop", nil, func(s *actors.Submission) { s.Queue, s.RunAt = queue, time.Now().Add(time.Hour) })
		if j, err := n.Get(t.Context(), id); err != nil || j.Status != job.Scheduled {
			t.Errorf("%s: read at once: %v, %v", queue, j.Status, err)
		}
		n.await(id, job.Scheduled)
	}
}

func TestSameKeyIsOneJobAlsoAtOnceAndAfterFailure(t *testing.T) {
	n := embedded(t).start(t, map[string]actors.Handler{
		"fail": func(context.Context, *actors.Job) error { return job.Permanent(errors.New("no")) },
	})
	for _, queue := range []string{"default", "safe"} {
		t.Run(queue, func(t *testing.T) {
			s := actors.Submission{Kind: "fail", Queue: queue, Payload: json.RawMessage(`{"a":1}`), Key: "key-1", Fingerprint: "f1"}
			var mu sync.Mutex
			ids := map[job.ID]int{}
			var wg sync.WaitGroup
			for range 20 {
				wg.Go(func() {
					accepted, err := n.Submit(t.Context(), s)
					mu.Lock()
					defer mu.Unlock()
					if errors.Is(err, actors.ErrKeyInFlight) {
						return
					}
					if err != nil {
						t.Error(err)
						return
					}
					ids[accepted.Job.ID]++
				})
			}
			wg.Wait()
			if len(ids) != 1 {
				t.Fatalf("one key made %d jobs: %v", len(ids), ids)
			}
			for id := range ids {
				n.await(id, job.Failed)
				again, err := n.Submit(t.Context(), s)
				if err != nil || !again.Repeated || again.Job.ID != id || again.Job.Status != job.Failed {
					t.Errorf("after its failure: %+v, %v", again, err)
				}
			}
			s.Payload, s.Fingerprint = json.RawMessage(`{"a":2}`), "f2"
			_, err := n.Submit(t.Context(), s)
			if conflict, ok := errors.AsType[*actors.KeyConflictError](err); !ok || string(conflict.First.Payload) != `{"a":1}` {
				t.Errorf("other body: %v", err)
			}
			s.Owner = "somebody-else"
			if _, err := n.Submit(t.Context(), s); err != nil {
				t.Errorf("somebody else's key: %v", err)
			}
		})
	}
}

func TestBadSubmissionsAreRefusedByName(t *testing.T) {
	n := embedded(t).start(t, noop)
	deep := strings.Repeat("[", 200) + strings.Repeat("]", 200)
	for name, c := range map[string]struct {
		s    actors.Submission
		want string
	}{
		"kind":     {actors.Submission{Kind: "nope"}, "unknown kind"},
		"queue":    {actors.Submission{Kind: "noop", Queue: "nope"}, "queue"},
		"priority": {actors.Submission{Kind: "noop", Priority: new(9)}, "priority"},
		"json":     {actors.Submission{Kind: "noop", Payload: json.RawMessage(`{"a":`)}, "payload"},
		"depth":    {actors.Submission{Kind: "noop", Payload: json.RawMessage(deep)}, "nested"},
		"size":     {actors.Submission{Kind: "noop", Payload: json.RawMessage(`"` + strings.Repeat("x", job.MaxPayload) + `"`)}, "payload"},
		"tags":     {actors.Submission{Kind: "noop", Tags: []string{"a b"}}, "tags"},
		"owner":    {actors.Submission{Kind: "noop", Owner: "../x"}, "owner"},
		"attempts": {actors.Submission{Kind: "noop", Policy: job.Policy{MaxAttempts: 1000}}, "max_attempts"},
		"run_at":   {actors.Submission{Kind: "noop", RunAt: time.Now().Add(10000 * 24 * time.Hour)}, "run_at"},
	} {
		_, err := n.Submit(t.Context(), c.s)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want a refusal that says %q", name, err, c.want)
		}
	}
	n.emptied("default")
}

func TestThousandsOfJobsAtOnceAllCompleteExactlyOnce(t *testing.T) {
	const jobs = 3000
	var mu sync.Mutex
	runs := map[job.ID]int{}
	n := embedded(t).start(t, map[string]actors.Handler{"count": func(_ context.Context, j *actors.Job) error {
		mu.Lock()
		defer mu.Unlock()
		runs[j.ID()]++
		return nil
	}})
	var wg sync.WaitGroup
	for caller := range 30 {
		wg.Go(func() {
			batch := make([]actors.Submission, jobs/30)
			for i := range batch {
				batch[i] = actors.Submission{Kind: "count", Payload: json.RawMessage(fmt.Sprintf(`{"caller":%d,"i":%d}`, caller, i))}
			}
			if _, errs := n.SubmitAll(t.Context(), batch); errors.Join(errs...) != nil {
				t.Error(errors.Join(errs...))
			}
		})
	}
	wg.Wait()
	n.eventually("all have run and the inbox is empty", func() bool {
		mu.Lock()
		done := len(runs)
		mu.Unlock()
		d, err := n.world.inbox.Depth(t.Context(), "default")
		return done == jobs && err == nil && d.Waiting+d.Leased+d.Delayed == 0
	})
	for id, times := range runs {
		if times != 1 {
			t.Errorf("job %s ran %d times", id, times)
		}
	}
	page, err := n.List(t.Context(), persistence.Query{Statuses: []job.Status{job.Completed}, Limit: persistence.MaxPage})
	if err != nil || len(page.Jobs) != persistence.MaxPage {
		t.Errorf("%d listed, %v", len(page.Jobs), err)
	}
}

func TestPausedQueueGivesNothingOutUntilItIsResumed(t *testing.T) {
	n := embedded(t).start(t, noop)
	pause := func(paused bool) {
		if _, err := n.SetQueue(t.Context(), "default", func(s *persistence.QueueSettings) { s.Paused = paused }); err != nil {
			t.Fatal(err)
		}
	}
	pause(true)
	id := n.submit("noop", nil)
	n.await(id, job.Queued)
	time.Sleep(300 * time.Millisecond)
	n.await(id, job.Queued)
	pause(false)
	n.await(id, job.Completed)
}
