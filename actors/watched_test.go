package actors_test

import (
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
	"github.com/meta-ad-studio/troupe/persistence/local"
)

// published counts what is told of each job while it runs, by a listener that is no node.
type published struct {
	mu    sync.Mutex
	count map[job.ID]int
}

func (p *published) of(id job.ID) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count[id]
}

func (p *published) hear(d persistence.Delivery) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, text := range d.States {
		var v job.View
		if json.Unmarshal(text, &v) == nil && v.Status == job.Processing && v.Progress > 0 {
			p.count[v.ID]++
		}
	}
}

// A job that says much costs little while nobody looks; and its handler knows, whichever node they look at.
func TestProgressThatNobodySeesIsRare(t *testing.T) {
	t.Parallel()
	hub := local.NewHub()
	w := embedded(t)
	w.bus = func(node string) persistence.Bus { return hub.Bus(node) }
	var watched atomic.Bool
	talk := func(ctx context.Context, j *actors.Job) error {
		for began := time.Now(); time.Since(began) < 4*time.Second; {
			j.Progress(job.Progress{Percent: 1 + 20*time.Since(began).Seconds()})
			watched.Store(j.Watched())
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(5 * time.Millisecond):
			}
		}
		return nil
	}
	runs := w.start(t, map[string]actors.Handler{"talk": talk})
	looks := w.start(t, nil, func(c *actors.Config) { c.Queues = []actors.Queue{{Name: "other"}} }) // it runs none of them
	heard := published{count: map[job.ID]int{}}
	ctx, cancel := context.WithCancel(t.Context())
	var ears sync.WaitGroup
	defer ears.Wait()
	defer cancel()
	ready := make(chan struct{})
	ears.Go(func() { _ = hub.Bus("ear").Subscribe(ctx, func() { close(ready) }, heard.hear) })
	<-ready

	quiet := runs.submit("talk", nil)
	runs.await(quiet, job.Completed)
	if watched.Load() {
		t.Error("the handler is told that somebody watches")
	}
	for name, topic := range map[string]actors.Topic{
		"here": {Kind: actors.TopicAll}, "there": {Kind: actors.TopicOwner, Value: "u7"},
	} {
		at := runs
		if name == "there" {
			at = looks
		}
		stream, err := at.Watch(t.Context(), actors.WatchRequest{Topics: []actors.Topic{topic}})
		if err != nil {
			t.Fatal(err)
		}
		// As a client does: it takes what there is.
		read, stop := context.WithCancel(t.Context())
		ears.Go(func() {
			for {
				if _, err := stream.Next(read); err != nil {
					return
				}
			}
		})
		seen := runs.submit("talk", nil, func(s *actors.Submission) { s.Owner = "u7" })
		runs.eventually("the handler knows that somebody watches", watched.Load)
		runs.await(seen, job.Completed)
		few, many := heard.of(quiet), heard.of(seen)
		t.Logf("watched %s: %d publications in 4 s; unwatched: %d", name, many, few)
		if few == 0 || many < 5*few {
			t.Errorf("watched %s: %d publications, unwatched %d: want at least five times as many", name, many, few)
		}
		stop()
		stream.Close()
		watched.Store(false)
	}
	if out := testutil.CollectAndCount(runs.registry, "troupe_bus_messages_total"); out == 0 {
		t.Error("publications are not counted")
	}
}

// What another node shows is forgotten when it has said nothing for ten seconds.
func TestAttentionIsForgotten(t *testing.T) {
	t.Parallel()
	hub := local.NewHub()
	w := embedded(t)
	w.bus = func(node string) persistence.Bus { return hub.Bus(node) }
	var watched atomic.Bool
	release := make(chan struct{})
	n := w.start(t, map[string]actors.Handler{"look": func(ctx context.Context, j *actors.Job) error {
		for {
			watched.Store(j.Watched())
			select {
			case <-release:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(5 * time.Millisecond):
			}
		}
	}})
	id := n.submit("look", nil)
	n.await(id, job.Processing)
	told := persistence.Signal{Topic: persistence.SignalPresence, Presence: &persistence.Presence{Topics: []string{"job:" + id.String(), "nonsense"}}}
	if err := hub.Bus("another").Signal(t.Context(), told); err != nil {
		t.Fatal(err)
	}
	n.eventually("it is watched", watched.Load)
	began := time.Now()
	n.eventually("it is watched no more", func() bool { return !watched.Load() })
	if took := time.Since(began); took < 8*time.Second || took > 12*time.Second {
		t.Errorf("forgotten after %s, want 10 s", took)
	}
	told.Presence = &persistence.Presence{All: true}
	if err := hub.Bus("another").Signal(t.Context(), told); err != nil {
		t.Fatal(err)
	}
	n.eventually("everything is watched", watched.Load)
	close(release)
}
