package actors_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

func TestStreamGoesOnAfterItsNodesDeath(t *testing.T) {
	const chunks = 120
	s := onServers(t)
	speak := map[string]actors.Handler{"speak": func(ctx context.Context, j *actors.Job) error {
		done := 0
		if _, err := j.Restore(&done); err != nil {
			return err
		}
		for ; done < chunks; done++ {
			if err := errors.Join(j.Output(fmt.Appendf(nil, "chunk %d\n", done+1)), ctx.Err()); err != nil {
				return err
			}
			if done%10 == 9 {
				if err := j.Checkpoint(ctx, done+1); err != nil {
					return err
				}
			}
			select {
			case <-time.After(20 * time.Millisecond):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	}}
	watcher := s.start(t, nil, hasty) // has no handler: it only shows
	one := s.start(t, speak, hasty)
	id := one.submit("speak", nil)
	q := persistence.LineQuery{Job: id, Channel: persistence.Output}
	one.await(id, job.Processing)
	var delays []time.Duration
	ears := []*ear{watcher.follow(q, func(l persistence.Line) { delays = append(delays, time.Since(l.At)) }), one.follow(q, nil)}
	one.eventually("it is in mid-stream", func() bool { return ears[0].count() > 35 })
	one.Close() // as a crash: nothing is handed back
	heir := s.start(t, speak, hasty)
	late := heir.follow(q, nil)
	j := heir.await(id, job.Completed)
	if j.Attempts != 0 || j.Crashes == 0 {
		t.Errorf("adopted as %+v", j)
	}
	all := heir.channel(id, persistence.Output)
	wantOrdered(t, all)
	ears[0].wantAll(watcher, all)
	slices.Sort(delays)
	t.Logf("heard on another node half of the time within %s", delays[len(delays)/2].Round(time.Millisecond))
	if delays[len(delays)/2] > time.Second { // who is not told looks every three seconds
		t.Error("the other node was not told of new lines")
	}
	late.wantAll(heir, all)
	<-ears[1].done
	if ears[1].end != "drain" {
		t.Errorf("the follower on the dead node ended with %q, %v", ears[1].end, ears[1].err)
	}
	seen := map[string]int{}
	tokens := map[int64]bool{}
	for _, l := range all {
		seen[l.Text]++
		tokens[l.Seq/job.RevsPerToken] = true
	}
	for n := range chunks {
		if seen[fmt.Sprintf("chunk %d\n", n+1)] == 0 {
			t.Errorf("chunk %d was lost, although every tenth was followed by a checkpoint", n+1)
		}
	}
	t.Logf("%d chunks of %d tokens, %d of them said again", len(all), len(tokens), len(all)-chunks)
	if again := len(all) - chunks; len(tokens) < 2 || again > 10 {
		t.Errorf("%d tokens, %d chunks said again: at most those after the last checkpoint may be", len(tokens), again)
	}
	for i := 0; i < len(all); i += 7 { // whoever comes back gets the rest, wherever it was
		at := q
		at.After = all[i].Seq
		heir.follow(at, nil).wantAll(heir, all[i+1:])
	}
}

func TestLinesSaidWhileTheStoreIsDownAreWrittenAfter(t *testing.T) {
	const every, pause = 10 * time.Millisecond, 4 * time.Second
	s := onServers(t)
	began, stop := make(chan struct{}, 1), make(chan struct{})
	said := make(chan int, 1)
	flooded := make(chan struct{})
	n := s.start(t, map[string]actors.Handler{
		"talk": func(ctx context.Context, j *actors.Job) error {
			for i := 1; ; i++ {
				j.Log(slog.LevelInfo, fmt.Sprintf("line %d", i))
				if i == 1 {
					began <- struct{}{}
				}
				select {
				case <-stop:
					said <- i
					return nil
				case <-ctx.Done():
					return ctx.Err()
				case <-time.After(every):
				}
			}
		},
		"flood": func(_ context.Context, j *actors.Job) error { // fills its own spool and waits
			for i := range 200 {
				j.Log(slog.LevelInfo, fmt.Sprintf("%d %s", i, strings.Repeat("x", 4<<10)))
			}
			close(flooded)
			return nil
		},
	}, hasty)
	talk := n.submit("talk", nil)
	<-began
	n.await(talk, job.Processing)
	follower := n.follow(persistence.LineQuery{Job: talk, Channel: persistence.Log}, nil)
	n.eventually("it is heard", func() bool { return follower.count() > 3 })
	s.postgres.Kill()
	flood := n.submit("flood", nil)
	time.Sleep(pause)
	select {
	case <-flooded:
		t.Error("800 KB were taken in while the store was down")
	default:
	}
	close(stop)
	lines := <-said // it was not held up
	if lines < int(pause/every)/3 {
		t.Errorf("%d lines were said in %s", lines, pause)
	}
	if j, err := n.world.store.Get(t.Context(), []job.ID{talk}); err == nil {
		t.Errorf("the store is not down: %+v", j)
	}
	s.postgres.Start()
	n.await(talk, job.Completed)
	all := n.channel(talk, persistence.Log)
	wantOrdered(t, all)
	if len(all) != lines {
		t.Errorf("%d lines are kept of %d", len(all), lines)
	}
	follower.wantAll(n, all)
	n.await(flood, job.Completed)
	if got := len(n.channel(flood, persistence.Log)); got != 200 {
		t.Errorf("%d lines of the flood are kept", got)
	}
}
