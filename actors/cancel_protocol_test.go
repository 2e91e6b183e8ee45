package actors_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
	"github.com/meta-ad-studio/troupe/persistence/local"
	"github.com/meta-ad-studio/troupe/persistence/storetest"
)

// onlooker is a stream of one topic, and what it has shown of each job.
type onlooker struct {
	mu    sync.Mutex
	shown map[job.ID][]job.View
	fault string
}

func (n *node) lookOn(topic actors.Topic) *onlooker {
	n.t.Helper()
	w, err := n.Watch(n.t.Context(), actors.WatchRequest{Topics: []actors.Topic{topic}})
	if err != nil {
		n.t.Fatal(err)
	}
	o := &onlooker{shown: map[job.ID][]job.View{}}
	var reading sync.WaitGroup
	reading.Go(func() {
		for {
			b, err := w.Next(context.Background())
			if err != nil {
				return
			}
			o.take(b.Updates)
		}
	})
	n.t.Cleanup(func() { w.Close(); reading.Wait() })
	return o
}

// steps are the states of a request that may follow each other within one life.
var steps = map[job.CancelState][]job.CancelState{
	job.CancelNone:    {job.CancelNone, job.CancelRequest, job.CancelConfirmed, job.CancelTooLate},
	job.CancelRequest: {job.CancelRequest, job.CancelConfirmed, job.CancelTooLate}, job.CancelConfirmed: {job.CancelConfirmed}, job.CancelTooLate: {job.CancelTooLate},
}

func state(v *job.View) job.CancelState {
	if v.Cancel == nil {
		return job.CancelNone
	}
	return v.Cancel.State
}

func (o *onlooker) take(updates []*actors.Update) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, u := range updates {
		v := *u.View
		if before := o.shown[v.ID]; len(before) > 0 {
			last := &before[len(before)-1]
			allowed := false
			for _, s := range steps[state(last)] {
				allowed = allowed || s == state(&v)
			}
			if v.Version <= last.Version || v.Run == last.Run && !allowed {
				o.fault = fmt.Sprintf("job %s: after %+v (%+v) came %+v (%+v)", v.ID, last, last.Cancel, v, v.Cancel)
			}
		}
		o.shown[v.ID] = append(o.shown[v.ID], v)
	}
}

// last is the newest that was shown of a job.
func (o *onlooker) last(id job.ID) (job.View, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := o.shown[id]
	if len(all) == 0 {
		return job.View{}, false
	}
	return all[len(all)-1], true
}

func (o *onlooker) states(id job.ID) (states []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range o.shown[id] {
		if s := string(state(&o.shown[id][i])); len(states) == 0 || states[len(states)-1] != s {
			states = append(states, s)
		}
	}
	return states
}

// rowView is the job as the store tells it.
func (w world) rowView(t *testing.T, id job.ID) job.View {
	t.Helper()
	records, err := w.store.Get(context.Background(), []job.ID{id})
	if err != nil || len(records) != 1 {
		t.Fatalf("job %s: %d rows, %v", id, len(records), err)
	}
	return records[0].Job.View()
}

// hubbed is a world whose nodes hear each other.
func hubbed(t *testing.T) world {
	w, hub := embedded(t), local.NewHub()
	w.bus = func(node string) persistence.Bus { return hub.Bus(node) }
	return w
}

// A stream, the row and the answers tell one story of a request: who, why and when, and what became of it.
func TestEverybodyIsToldTheSameOfARequest(t *testing.T) {
	w := hubbed(t)
	release := make(chan struct{})
	handlers := map[string]actors.Handler{
		"obedient": obedient,
		"stubborn": func(ctx context.Context, _ *actors.Job) error { <-ctx.Done(); return nil },
		"refused": func(ctx context.Context, _ *actors.Job) error {
			<-ctx.Done()
			<-release
			return job.Permanent(errors.New("no"))
		},
	}
	a := w.start(t, handlers, func(c *actors.Config) { c.CancelGrace = 20 * time.Second })
	b := w.start(t, nil, func(c *actors.Config) { c.Queues = []actors.Queue{{Name: "other"}} })
	lookers := []*onlooker{a.lookOn(actors.Topic{Kind: actors.TopicAll}), b.lookOn(actors.Topic{Kind: actors.TopicAll})}
	hostile := "\"><script>alert(1)</script>\x1b[2J\u2028"
	for name, c := range map[string]struct {
		kind string
		wait bool
		end  job.Status
		want job.CancelState
	}{
		"waiting": {"obedient", true, job.Cancelled, job.CancelConfirmed}, "running": {"obedient", false, job.Cancelled, job.CancelConfirmed},
		"too late": {"stubborn", false, job.Completed, job.CancelTooLate},
	} {
		t.Run(name, func(t *testing.T) {
			id := a.submit(c.kind, nil, func(s *actors.Submission) {
				if c.wait {
					s.RunAt = time.Now().Add(time.Hour)
				}
			})
			if !c.wait {
				a.await(id, job.Processing)
			}
			began := time.Now().Add(-time.Second)
			j, err := b.Cancel(t.Context(), id, "ann", hostile)
			if _, late := errors.AsType[*actors.TooLateError](err); err != nil && !late || j.CancelState() == job.CancelNone {
				t.Fatalf("%s, %v", j.CancelState(), err)
			}
			a.await(id, c.end)
			row := w.rowView(t, id)
			if row.Cancel == nil || row.Cancel.State != c.want || row.Cancel.By != "ann" || row.Cancel.Reason != hostile || row.Cancel.At.Before(began) {
				t.Fatalf("the row tells %+v", row.Cancel)
			}
			for _, look := range lookers {
				eventually(t, "the stream shows the end as the row has it", func() bool {
					v, ok := look.last(id)
					return ok && v.Version == row.Version && cmp.Equal(v.Cancel, row.Cancel)
				})
				if look.fault != "" {
					t.Error(look.fault)
				}
			}
			for range 2 { // asking again is answered the same, and changes nothing
				again, err := b.Cancel(t.Context(), id, "bob", "another reason")
				late, isLate := errors.AsType[*actors.TooLateError](err)
				if isLate != (c.want == job.CancelTooLate) || !isLate && err != nil || isLate && late.Job.Status != c.end {
					t.Errorf("asked again: %v", err)
				}
				if !isLate && (again.CancelState() != c.want || again.Cancel.By != "ann") {
					t.Errorf("asked again: %+v", again.Cancel)
				}
			}
			if now := w.rowView(t, id); !cmp.Equal(now.Cancel, row.Cancel) || now.Version != row.Version {
				t.Errorf("asking again changed the row: %+v", now.Cancel)
			}
		})
	}
	close(release)
}

// A redrive begins unasked, whatever was asked before.
func TestARedriveClearsTheRequest(t *testing.T) {
	w := hubbed(t)
	n := w.start(t, map[string]actors.Handler{"obedient": obedient})
	look := n.lookOn(actors.Topic{Kind: actors.TopicAll})
	id := n.submit("obedient", nil)
	n.await(id, job.Processing)
	if _, err := n.Cancel(t.Context(), id, "ann", "once"); err != nil {
		t.Fatal(err)
	}
	n.await(id, job.Cancelled)
	if _, err := n.Retry(t.Context(), id, "bob"); err != nil {
		t.Fatal(err)
	}
	n.eventually("it runs again", func() bool { v := w.rowView(t, id); return v.Run == 2 && v.Status == job.Processing })
	if v := w.rowView(t, id); v.Cancel != nil {
		t.Errorf("the second life is asked: %+v", v.Cancel)
	}
	if _, err := n.Cancel(t.Context(), id, "bob", "twice"); err != nil {
		t.Fatal(err)
	}
	if j := n.await(id, job.Cancelled); j.Cancel == nil || j.Cancel.By != "bob" || j.Life != 2 {
		t.Errorf("%+v", j.Cancel)
	}
	n.eventually("the stream shows it", func() bool { v, _ := look.last(id); return v.Run == 2 && state(&v) == job.CancelConfirmed })
	if look.fault != "" {
		t.Error(look.fault)
	}
}

// Requests that race with the end of their jobs: each job ends once, and everybody is told the same of it.
func TestRequestsRaceWithTheEnd(t *testing.T) {
	for _, remoting := range []bool{false, true} {
		t.Run(fmt.Sprintf("remoting %v", remoting), func(t *testing.T) { requestsRace(t, remoting) })
	}
}

func requestsRace(t *testing.T, remoting bool) {
	const jobs = 300
	rng := storetest.Random(t)
	w := hubbed(t)
	handlers := map[string]actors.Handler{
		"brief": func(ctx context.Context, j *actors.Job) error {
			var last time.Duration
			if err := j.Bind(&last); err != nil {
				return err
			}
			j.Progress(job.Progress{Percent: 50})
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-time.After(last):
				return nil
			}
		},
		"flaky": func(ctx context.Context, j *actors.Job) error {
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-time.After(time.Duration(rand.Int64N(int64(20 * time.Millisecond)))):
				return errors.New("again")
			}
		},
	}
	a := w.start(t, handlers)
	b := w.start(t, nil, func(c *actors.Config) { c.Queues = []actors.Queue{{Name: "other"}} })
	if remoting {
		actors.Connect(a.App, b.App)
	}
	lookers := []*onlooker{a.lookOn(actors.Topic{Kind: actors.TopicAll}), b.lookOn(actors.Topic{Kind: actors.TopicAll})}
	var asking sync.WaitGroup
	var confirmed, late, requested atomic.Int64
	answers := make([]job.CancelState, jobs)
	ids := make([]job.ID, jobs)
	room := make(chan struct{}, 20)
	for i := range jobs {
		last := time.Duration(rng.Int64N(int64(30 * time.Millisecond)))
		kind, wait := "brief", time.Duration(rng.Int64N(int64(30*time.Millisecond)))
		if i%4 == 0 {
			kind = "flaky"
		}
		from := []*node{a, b}[i%2]
		room <- struct{}{}
		asking.Go(func() {
			defer func() { <-room }()
			ids[i] = a.submit(kind, last)
			if from == b { // which knows of it only once its row is there
				eventually(t, "its row is there", func() bool {
					records, err := w.store.Get(context.Background(), ids[i:i+1])
					return err == nil && len(records) == 1
				})
			}
			time.Sleep(wait)
			j, err := from.Cancel(context.Background(), ids[i], "ann", "race")
			if tooLate, is := errors.AsType[*actors.TooLateError](err); is {
				answers[i] = job.CancelTooLate
				if s := tooLate.Job.Status; !s.Terminal() || s == job.Cancelled {
					t.Errorf("too late, but it is %s", s)
				}
				return
			}
			if err != nil {
				t.Errorf("job %s: %v", ids[i], err)
				return
			}
			answers[i] = j.CancelState()
		})
	}
	asking.Wait()
	for i, id := range ids {
		var row job.View
		eventually(t, "every job ends", func() bool { row = w.rowView(t, id); return row.Terminal })
		history, err := a.History(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		ends := 0
		for _, h := range history {
			if h.Status.Terminal() {
				ends++
			}
		}
		if ends != 1 {
			t.Errorf("job %s ended %d times", id, ends)
		}
		switch got := state(&row); {
		case row.Status == job.Cancelled && got == job.CancelConfirmed:
			confirmed.Add(1)
			if answers[i] == job.CancelTooLate {
				t.Errorf("job %s was cancelled, and the answer was %s", id, answers[i])
			}
		case row.Status != job.Cancelled && (got == job.CancelTooLate || got == job.CancelNone && answers[i] == job.CancelTooLate):
			late.Add(1)
			if answers[i] == job.CancelConfirmed {
				t.Errorf("job %s is %s, and the answer was %s", id, row.Status, answers[i])
			}
		default:
			t.Errorf("job %s is %s, its request %q, the answer was %q", id, row.Status, got, answers[i])
		}
		if answers[i] == job.CancelRequest {
			requested.Add(1)
		}
		for n, look := range lookers {
			eventually(t, "the streams show what the row has", func() bool {
				v, ok := look.last(id)
				// Word that came to the row while the end was being written is not told with it: an end is shown once.
				crossed := state(&row) == job.CancelTooLate && ok && v.Cancel == nil
				return ok && v.Version == row.Version && v.Status == row.Status && (crossed || cmp.Equal(v.Cancel, row.Cancel))
			})
			if strings.Contains(strings.Join(look.states(id), " "), "too_late confirmed") {
				t.Errorf("stream %d: %v", n, look.states(id))
			}
		}
	}
	for _, look := range lookers {
		if look.fault != "" {
			t.Error(look.fault)
		}
	}
	t.Logf("%d confirmed, %d too late; %d were told requested", confirmed.Load(), late.Load(), requested.Load())
	a.emptied("default")
}
