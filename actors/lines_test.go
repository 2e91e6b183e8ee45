package actors_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// channel reads a whole channel from the store.
func (n *node) channel(id job.ID, c persistence.Channel) []persistence.Line {
	n.t.Helper()
	var all []persistence.Line
	for q := (persistence.LineQuery{Job: id, Channel: c, Limit: persistence.MaxLinesPage}); ; {
		page, err := n.Lines(context.Background(), q)
		if err != nil {
			n.t.Fatal(err)
		}
		all = append(all, page.Lines...)
		if !page.More {
			return all
		}
		q.After = all[len(all)-1].Seq
	}
}

// wantOrdered checks that lines follow each other without one twice or missing.
func wantOrdered(t *testing.T, lines []persistence.Line) {
	t.Helper()
	for i := 1; i < len(lines); i++ {
		if lines[i].Seq <= lines[i-1].Seq || lines[i].N != lines[i-1].N+1 {
			t.Fatalf("line %d is %d (%d), after %d (%d)", i, lines[i].Seq, lines[i].N, lines[i-1].Seq, lines[i-1].N)
		}
	}
}

// ear collects what a follower hears.
type ear struct {
	mu     sync.Mutex
	lines  []persistence.Line
	missed []actors.LineGap
	end    string
	err    error
	done   chan struct{}
}

func (n *node) follow(q persistence.LineQuery, each func(persistence.Line)) *ear {
	n.t.Helper()
	following, err := n.FollowLines(n.t.Context(), q)
	if err != nil {
		n.t.Fatal(err)
	}
	e := &ear{done: make(chan struct{})}
	go func() {
		defer close(e.done)
		defer following.Close()
		for {
			batch, err := following.Next(n.t.Context())
			e.mu.Lock()
			e.lines = append(e.lines, batch.Lines...)
			if batch.Missed != nil {
				e.missed = append(e.missed, *batch.Missed)
			}
			e.end, e.err = batch.End, err
			e.mu.Unlock()
			for _, l := range batch.Lines {
				if each != nil {
					each(l)
				}
			}
			if err != nil || batch.End != "" {
				return
			}
		}
	}()
	return e
}

func (e *ear) count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.lines)
}

// wantAll waits for the end and compares with what the store has.
func (e *ear) wantAll(n *node, want []persistence.Line) {
	n.t.Helper()
	select {
	case <-e.done:
	case <-time.After(30 * time.Second):
		n.t.Fatalf("the follower does not end; it has %d lines", e.count())
	}
	if e.err != nil || e.end != "done" {
		n.t.Fatalf("it ended with %q, %v", e.end, e.err)
	}
	wantOrdered(n.t, e.lines)
	if len(e.lines) != len(want) {
		n.t.Fatalf("%d lines were heard, %d are kept", len(e.lines), len(want))
	}
	for i := range want {
		if e.lines[i].Seq != want[i].Seq || e.lines[i].Text != want[i].Text {
			n.t.Fatalf("line %d is %+v, want %+v", i, e.lines[i], want[i])
		}
	}
}

func TestLastLinesAreThereWhenTheEndIsSeen(t *testing.T) {
	const jobs, lines = 100, 30
	n := embedded(t).start(t, map[string]actors.Handler{
		"talk": func(_ context.Context, j *actors.Job) error {
			for i := range lines {
				j.Log(slog.LevelWarn, fmt.Sprintf("line %d\n", i+1))
				if err := j.Output(fmt.Appendf(nil, "chunk %d", i+1)); err != nil {
					return err
				}
			}
			return nil
		},
		"silent": noop["noop"],
	})
	ids := make([]job.ID, jobs)
	for i := range ids {
		ids[i] = n.submit("talk", nil)
	}
	silent := n.submit("silent", nil)
	for _, id := range ids {
		j := n.await(id, job.Completed)
		for _, c := range persistence.Channels {
			all := n.channel(id, c)
			wantOrdered(t, all)
			if len(all) != lines {
				t.Fatalf("the job has ended, and its %s has %d lines", c, len(all))
			}
			last := all[lines-1]
			if last.Seq != persistence.LineSeq(j.Token, lines) || last.Attempt != 1 || last.N != lines || last.Text != map[persistence.Channel]string{
				persistence.Log: "line 30", persistence.Output: "chunk 30",
			}[c] {
				t.Fatalf("the last line of its %s is %+v", c, last)
			}
		}
	}
	n.await(silent, job.Completed)
	if all := n.channel(silent, persistence.Log); len(all) != 0 {
		t.Errorf("a silent job has said %v", all)
	}
}

func TestFollowersHearEachLineOnceFromWhereverTheyBegin(t *testing.T) {
	const lines = 60
	n := embedded(t).start(t, map[string]actors.Handler{"talk": func(ctx context.Context, j *actors.Job) error {
		for i := range lines {
			if err := j.Output(fmt.Appendf(nil, "%d", i+1)); err != nil {
				return err
			}
			select {
			case <-time.After(5 * time.Millisecond):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if j.Attempt() == 1 {
			return errors.New("once more")
		}
		return nil
	}})
	id := n.submit("talk", nil)
	q := persistence.LineQuery{Job: id, Channel: persistence.Output}
	first := n.follow(q, nil)
	var later []*ear
	n.eventually("the second attempt speaks", func() bool {
		if got := first.count(); got > len(later)*10 { // more join while it goes on, each after what the first has heard
			first.mu.Lock()
			at := q
			at.After = first.lines[len(first.lines)-1].Seq
			first.mu.Unlock()
			later = append(later, n.follow(at, nil))
		}
		return first.count() > lines+20
	})
	n.await(id, job.Completed)
	all := n.channel(id, persistence.Output)
	if len(all) != 2*lines || all[0].Attempt != 1 || all[len(all)-1].Attempt != 2 {
		t.Fatalf("%d chunks, the first of attempt %d, the last of %d", len(all), all[0].Attempt, all[len(all)-1].Attempt)
	}
	first.wantAll(n, all)
	for _, e := range later {
		<-e.done
		from := len(all) - len(e.lines)
		e.wantAll(n, all[from:])
	}
	for i := range all { // from every seq, after the end
		at := q
		at.After = all[i].Seq
		n.follow(at, nil).wantAll(n, all[i+1:])
	}
	tail := q
	tail.Tail = 7
	n.follow(tail, nil).wantAll(n, all[len(all)-7:])
}

func TestAFloodIsBoundedAndASlowFollowerIsToldWhatItMissed(t *testing.T) {
	const lines = 40_000
	var hold sync.Mutex // the slow follower waits for it
	hold.Lock()
	n := embedded(t).start(t, map[string]actors.Handler{
		"flood": func(_ context.Context, j *actors.Job) error {
			for i := range lines {
				j.Log(slog.LevelInfo, fmt.Sprintf("line %d of a flood", i+1))
			}
			return nil
		},
		"quick": func(_ context.Context, j *actors.Job) error { j.Log(slog.LevelInfo, "quick"); return nil },
	})
	flood := n.submit("flood", nil)
	q := persistence.LineQuery{Job: flood, Channel: persistence.Log}
	n.eventually("it speaks", func() bool { page, err := n.Lines(t.Context(), q); return err == nil && len(page.Lines) > 0 })
	first := true
	slow := n.follow(q, func(persistence.Line) {
		if first {
			first = false
			hold.Lock()
			defer hold.Unlock()
		}
	})
	began := time.Now()
	for range 5 { // others are not held up
		n.await(n.submit("quick", nil), job.Completed)
	}
	others := time.Since(began)
	n.await(flood, job.Completed)
	t.Logf("%d lines in %s; five others took %s meanwhile", lines, time.Since(began).Round(time.Millisecond), others.Round(time.Millisecond))
	hold.Unlock()
	all := n.channel(flood, persistence.Log)
	if len(all) != persistence.MaxLines || all[len(all)-1].N != lines {
		t.Fatalf("%d lines are kept, the last is number %d", len(all), all[len(all)-1].N)
	}
	<-slow.done
	if len(slow.missed) == 0 || slow.end != "done" {
		t.Fatalf("gaps %v, end %q, %v", slow.missed, slow.end, slow.err)
	}
	jumps := 0
	for i := 1; i < len(slow.lines); i++ {
		if slow.lines[i].N <= slow.lines[i-1].N {
			t.Fatal("a line came twice")
		}
		if slow.lines[i].N > slow.lines[i-1].N+1 {
			jumps++
		}
	}
	if last := slow.lines[len(slow.lines)-1]; last.N != lines || jumps > len(slow.missed) {
		t.Errorf("it ended with line %d, over %d jumps and %d gaps", last.N, jumps, len(slow.missed))
	}
}

func TestOutputBeyondItsBoundIsRefusedOverAttempts(t *testing.T) {
	half := []byte(strings.Repeat("x", persistence.MaxLineBytes/2))
	n := embedded(t).start(t, map[string]actors.Handler{"write": func(_ context.Context, j *actors.Job) error {
		if err := j.Output(half); err != nil {
			return job.Permanent(err)
		}
		if j.Attempt() < 3 {
			return errors.New("again")
		}
		return nil
	}})
	id := n.submit("write", nil)
	j := n.await(id, job.Failed)
	if j.Attempt != 3 || !strings.Contains(j.Failure.Message, "at most") {
		t.Errorf("attempt %d failed with %q", j.Attempt, j.Failure.Message)
	}
	page, err := n.Lines(t.Context(), persistence.LineQuery{Job: id, Channel: persistence.Output})
	if err != nil || page.Bounds.Bytes != persistence.MaxLineBytes {
		t.Errorf("%+v, %v", page.Bounds, err)
	}
}

func TestTextIsCutBetweenCharacters(t *testing.T) {
	n := embedded(t).start(t, map[string]actors.Handler{"write": func(_ context.Context, j *actors.Job) error {
		film := []byte("a🎬b")
		j.Log(slog.LevelError, strings.Repeat("🎬", persistence.MaxLine)+"\n")
		return errors.Join(j.Output(film[:3]), j.Output(film[3:]), j.Output([]byte{0xff}), j.Output(film[:2]))
	}})
	id := n.submit("write", nil)
	n.await(id, job.Completed)
	var text strings.Builder
	for _, l := range n.channel(id, persistence.Output) {
		text.WriteString(l.Text)
	}
	if want := "a🎬b\uFFFDa\uFFFD"; text.String() != want {
		t.Errorf("output %q, want %q", text.String(), want)
	}
	log := n.channel(id, persistence.Log)
	if len(log) != 1 || len(log[0].Text) > persistence.MaxLine || !strings.HasSuffix(log[0].Text, "🎬…") || log[0].Level != persistence.LevelError {
		t.Errorf("log of %d lines, the first of %d bytes", len(log), len(log[0].Text))
	}
}

func TestZombiesLinesAreRefused(t *testing.T) {
	w := embedded(t)
	asleep, spoke := make(chan struct{}), make(chan struct{})
	var late atomic.Value
	zombie := w.start(t, map[string]actors.Handler{"nap": func(_ context.Context, j *actors.Job) error {
		j.Log(slog.LevelInfo, "alive")
		close(spoke)
		<-asleep
		j.Log(slog.LevelInfo, "the zombie's word")
		late.Store(fmt.Sprint(j.Output([]byte("the zombie's word"))))
		return nil
	}}, func(c *actors.Config) {
		c.CancelGrace, c.Queues = time.Minute, []actors.Queue{{Name: "default", Concurrency: 1}}
	})
	id := zombie.submit("nap", nil)
	<-spoke
	zombie.await(id, job.Processing)
	zombie.eventually("its line is written", func() bool { return len(zombie.channel(id, persistence.Log)) == 1 })
	if _, err := w.inbox.Settle(t.Context(), "default", settleAs(zombie.Node(), id, 1)); err != nil {
		t.Fatal(err)
	}
	running := make(chan struct{})
	heir := w.start(t, map[string]actors.Handler{"nap": func(_ context.Context, j *actors.Job) error {
		j.Log(slog.LevelInfo, "the heir's word")
		<-running
		return nil
	}})
	heir.eventually("the heir has spoken", func() bool { return len(heir.channel(id, persistence.Log)) == 2 })
	close(asleep)
	zombie.eventually("the zombie has spoken", func() bool { return late.Load() != nil })
	close(running)
	heir.eventually("the job has ended", func() bool { j, err := heir.Get(t.Context(), id); return err == nil && j.Status.Terminal() })
	zombie.eventually("the zombie's lines were refused", func() bool { return zombie.metric("troupe_lines_dropped_total", "reason", "refused") > 0 })
	log := heir.channel(id, persistence.Log)
	wantOrdered(t, log)
	if len(log) != 2 || log[0].Text != "alive" || log[1].Text != "the heir's word" || log[1].Seq != persistence.LineSeq(heir.await(id, job.Completed).Token, 1) {
		t.Errorf("the log is %+v", log)
	}
	if output := heir.channel(id, persistence.Output); len(output) != 0 {
		t.Errorf("the output is %+v", output)
	}
}

// metric sums a counter's or gauge's series with the label.
func (n *node) metric(name, label, value string) (sum float64) {
	n.t.Helper()
	families, err := n.registry.Gather()
	if err != nil {
		n.t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetName() == label && l.GetValue() == value {
					sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
				}
			}
		}
	}
	return sum
}
