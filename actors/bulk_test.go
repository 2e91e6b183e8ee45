package actors_test

import (
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
	"github.com/meta-ad-studio/troupe/persistence/storetest"
)

// bury puts dead letters into the store.
func (w world) bury(t *testing.T, n int) {
	t.Helper()
	rng := storetest.Random(t)
	for n > 0 {
		writes := make([]persistence.Write, min(n, persistence.MaxBatch))
		for i := range writes {
			j := job.New(job.Spec{ID: storetest.NewID(rng, time.Now()), Kind: "buried", Queue: "default", Policy: quick.Merge(job.DefaultPolicy())}, time.Now())
			for _, e := range []job.Event{job.Claimed{Token: 1, Node: "gone"}, job.AttemptFailed{Failure: job.NewFailure("error", "no"), Permanent: true}} {
				next, _, err := j.Apply(e, time.Now())
				if err != nil {
					t.Fatal(err)
				}
				j = next
			}
			writes[i] = persistence.Write{Job: j}
		}
		if _, err := w.store.Commit(t.Context(), writes); err != nil {
			t.Fatal(err)
		}
		n -= len(writes)
	}
}

// TestBulkActionsAreBounded: what one call leaves, the next one does.
func TestBulkActionsAreBounded(t *testing.T) {
	w := embedded(t)
	n := w.start(t, map[string]actors.Handler{})
	const some = 40
	w.bury(t, actors.MaxBulk+some)
	dead := persistence.Query{Kind: "buried"}
	for name, act := range map[string]func(dryRun bool) (actors.Bulk, error){
		"redrive": func(dryRun bool) (actors.Bulk, error) { return n.RedriveDead(t.Context(), dead, "op", dryRun) },
		"purge":   func(dryRun bool) (actors.Bulk, error) { return n.PurgeDead(t.Context(), dead, dryRun) },
	} {
		count, err := act(true)
		if err != nil || count.Matched != 1000 || !count.Capped || len(count.Sample) != 5 || count.Done != 0 {
			t.Errorf("%s, dry run: matched %d, capped %t, sample of %d, %v", name, count.Matched, count.Capped, len(count.Sample), err)
		}
	}
	first, err := n.PurgeDead(t.Context(), dead, false)
	if err != nil || first.Done == 0 || first.Done > actors.MaxBulk || !first.More {
		t.Fatalf("purge: %+v, %v", first, err)
	}
	for done := first.Done; ; {
		rest, err := n.PurgeDead(t.Context(), dead, false)
		if err != nil {
			t.Fatal(err)
		}
		if done += rest.Done; !rest.More {
			if done != actors.MaxBulk+some {
				t.Errorf("%d were purged", done)
			}
			break
		}
	}
	w.bury(t, some)
	for want, more := some, true; more; want = 0 {
		again, err := n.RedriveDead(t.Context(), dead, "op", false)
		if err != nil || again.Matched != want || again.Done != want || again.More {
			t.Fatalf("redrive of %d: %+v, %v", want, again, err)
		}
		more = want > 0
	}
	page, err := n.List(t.Context(), dead)
	if err != nil || len(page.Jobs) != some || page.Jobs[0].Life != 2 || page.Jobs[0].Status == job.Failed {
		t.Errorf("after the redrive: %d jobs, %v", len(page.Jobs), err)
	}
}
