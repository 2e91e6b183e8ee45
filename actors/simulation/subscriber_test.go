package simulation

import (
	"context"
	"time"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
)

// watcher is what one stream of all jobs showed.
type watcher struct {
	node string
	last map[job.ID]job.View
	seen int
}

// watch keeps a stream open on a node until the context ends.
func (l *ledger) watch(ctx context.Context, n *node) {
	w := &watcher{node: n.name, last: map[job.ID]job.View{}}
	l.mu.Lock()
	l.watchers = append(l.watchers, w)
	l.mu.Unlock()
	for ctx.Err() == nil {
		stream, err := n.Watch(ctx, actors.WatchRequest{Topics: []actors.Topic{{Kind: actors.TopicAll}}})
		if err == nil {
			l.follow(ctx, w, stream)
			stream.Close()
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
		}
	}
}

// follow reads a stream to its end. Revs grow within one stream; another may begin with what is known.
func (l *ledger) follow(ctx context.Context, w *watcher, stream actors.Watching) {
	revs := map[job.ID]int64{}
	for {
		batch, err := stream.Next(ctx)
		if err != nil {
			return
		}
		l.mu.Lock()
		for _, u := range batch.Updates {
			w.seen++
			v := *u.View
			if v.Version <= revs[v.ID] || v.Version < w.last[v.ID].Version {
				l.violated("I9", "%s shows job %s at rev %d (%s) after rev %d", w.node, v.ID, v.Version, v.Status, max(revs[v.ID], w.last[v.ID].Version))
			}
			revs[v.ID] = v.Version
			w.last[v.ID] = v
		}
		l.mu.Unlock()
		if batch.End != "" {
			return
		}
	}
}
