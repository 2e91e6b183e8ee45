package storetest

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

func (t *storeTest) queues() []persistence.QueueSettings {
	t.Helper()
	all, err := t.st.Queues(t.ctx)
	t.check(err)
	slices.SortFunc(all, func(a, b persistence.QueueSettings) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

var queueCases = []storeCase{
	{"settings are read as they were written last", func(t *storeTest) {
		t.want("none", t.queues(), []persistence.QueueSettings(nil))
		now := time.Now().UTC().Truncate(time.Microsecond)
		films := persistence.QueueSettings{Name: "films", Paused: true, Reason: "the provider's “limit”\n🎬", Concurrency: 7, Everywhere: 70, Updated: now}
		post := persistence.QueueSettings{Name: "post", Everywhere: 3, Updated: now.Add(time.Microsecond)}
		for range 2 {
			t.check(t.st.SaveQueue(t.ctx, films))
			t.check(t.st.SaveQueue(t.ctx, post))
		}
		t.want("settings", t.queues(), []persistence.QueueSettings{films, post})
		films = persistence.QueueSettings{Name: "films", Concurrency: 2, Updated: now.Add(time.Second)}
		t.check(t.st.SaveQueue(t.ctx, films))
		t.want("settings", t.queues(), []persistence.QueueSettings{films, post})
	}},
	{"watching ends with its context", func(t *storeTest) {
		stop := watching(t.T, t.ctx, "Watch", func(ctx context.Context) error { return t.st.Watch(ctx, func(job.ID) {}) })
		t.put(t.submitted())
		stop()
	}},
	{"ping answers", func(t *storeTest) { t.check(t.st.Ping(t.ctx)) }},
}
