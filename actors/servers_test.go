package actors_test

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
	"github.com/meta-ad-studio/troupe/persistence/local"
	"github.com/meta-ad-studio/troupe/persistence/postgres"
	"github.com/meta-ad-studio/troupe/persistence/redis"
	"github.com/meta-ad-studio/troupe/persistence/storetest/testenv"
)

// servers is a world on a Redis and a Postgres of the test's own, which it may stop.
type servers struct {
	world
	redis, postgres *testenv.Server
}

func onServers(t *testing.T) servers {
	t.Helper()
	s := servers{
		redis:    testenv.StartRedis(t, testenv.Options{Durable: true}),
		postgres: testenv.StartPostgres(t, testenv.Options{Durable: true}),
	}
	store, err := postgres.Open(t.Context(), postgres.Config{URL: s.postgres.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	if _, err := store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	client, err := redis.Open(t.Context(), redis.Config{URL: s.redis.URL})
	if err != nil {
		t.Fatal(err)
	}
	artifacts, err := local.OpenArtifacts(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(client.Close(), artifacts.Close()); err != nil {
			t.Error(err)
		}
	})
	s.world = world{store, client.Inbox(), func(node string) persistence.Bus { return client.Bus(node) }, artifacts}
	return s
}

func TestFlushedInboxIsRefilledAndEachJobRunsOnceInTheRecord(t *testing.T) {
	const jobs = 10_000
	s := onServers(t)
	var mu sync.Mutex
	runs := map[job.ID]int{}
	n := s.start(t, map[string]actors.Handler{"count": func(_ context.Context, j *actors.Job) error {
		time.Sleep(5 * time.Millisecond)
		mu.Lock()
		defer mu.Unlock()
		runs[j.ID()]++
		return nil
	}}, hasty)
	var ids []job.ID
	for range jobs / 1000 {
		batch := make([]actors.Submission, 1000)
		for i := range batch {
			batch[i] = actors.Submission{Kind: "count", Payload: json.RawMessage(`{}`), Policy: quick}
		}
		accepted, errs := n.SubmitAll(t.Context(), batch)
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		for _, a := range accepted {
			ids = append(ids, a.Job.ID)
		}
	}
	n.eventually("all rows are in the store, and some jobs have run", func() bool {
		live, ended := n.count(ids)
		return live+ended == jobs && ended > 200
	})
	flush(t, s.redis.URL)
	n.eventually("all have completed", func() bool { _, ended := n.count(ids); return ended == jobs })
	n.emptied("default")
	terminal := 0
	for _, id := range ids {
		history, err := n.History(t.Context(), id)
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
			t.Fatalf("job %s ended %d times: %+v", id, ends, history)
		}
		terminal += ends
	}
	twice := 0
	for _, times := range runs {
		if times > 1 {
			twice++
		}
	}
	t.Logf("%d jobs, %d terminal transitions, %d handlers ran twice", len(ids), terminal, twice)
	if twice > 100 {
		t.Errorf("%d jobs ran twice: more than can have been running when the inbox was emptied", twice)
	}
}

func flush(t *testing.T, url string) {
	t.Helper()
	options, err := goredis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	client := goredis.NewClient(options)
	defer client.Close()
	if err := client.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
}

// count says how many of the jobs are live and how many have completed.
func (n *node) count(ids []job.ID) (live, completed int) {
	n.t.Helper()
	for from := 0; from < len(ids); from += persistence.MaxPage {
		records, err := n.world.store.Get(context.Background(), ids[from:min(from+persistence.MaxPage, len(ids))])
		if err != nil {
			return 0, 0
		}
		for i := range records {
			switch {
			case records[i].Job.Status == job.Completed:
				completed++
			case !records[i].Job.Status.Terminal():
				live++
			}
		}
	}
	return live, completed
}

// outage is how long a server is away in the tests of outages.
const outage = 12 * time.Second

func TestStoreDownLosesNoAcceptedJobAndKillsNoHandler(t *testing.T) {
	s := onServers(t)
	var cut atomic.Int64
	n := s.start(t, map[string]actors.Handler{
		"short": func(ctx context.Context, _ *actors.Job) error {
			select {
			case <-ctx.Done():
				cut.Add(1)
				return ctx.Err()
			case <-time.After(20 * time.Millisecond):
				return nil
			}
		},
		"long": func(ctx context.Context, _ *actors.Job) error {
			select {
			case <-ctx.Done():
				cut.Add(1)
				return ctx.Err()
			case <-time.After(outage + 2*time.Second):
				return nil
			}
		},
	}, hasty)
	long := n.submit("long", nil)
	n.await(long, job.Processing)
	s.postgres.Kill()
	var ids []job.ID
	for began := time.Now(); time.Since(began) < outage; time.Sleep(20 * time.Millisecond) {
		accepted, err := n.Submit(t.Context(), actors.Submission{Kind: "short", Policy: quick})
		if err != nil {
			t.Errorf("refused while the store was down: %v", err)
			continue
		}
		ids = append(ids, accepted.Job.ID)
		if _, err := n.Submit(t.Context(), actors.Submission{Kind: "short", Queue: "safe"}); !errors.Is(err, persistence.ErrUnavailable) {
			t.Fatalf("a queue that promises the store accepted without it: %v", err)
		}
	}
	s.postgres.Start()
	n.eventually("every accepted job has completed", func() bool { _, done := n.count(append(ids, long)); return done == len(ids)+1 })
	n.emptied("default")
	if cut.Load() > 0 {
		t.Errorf("%d handlers were cut off", cut.Load())
	}
	for _, id := range append(ids, long) {
		if j := n.await(id, job.Completed); j.Attempts != 0 || j.Crashes != 0 {
			t.Fatalf("an outage of the store cost %+v", j)
		}
	}
}

func TestInboxDownClosesTheDoorAndRunningJobsSettleAfter(t *testing.T) {
	s := onServers(t)
	var cut atomic.Int64
	release := make(chan struct{})
	n := s.start(t, map[string]actors.Handler{
		"gate": func(ctx context.Context, _ *actors.Job) error {
			select {
			case <-ctx.Done():
				cut.Add(1)
				return ctx.Err()
			case <-release:
				return nil
			}
		},
		"noop": noop["noop"],
	}, hasty)
	early, late := n.submit("gate", nil), n.submit("gate", nil)
	n.await(early, job.Processing)
	n.await(late, job.Processing)
	s.redis.Kill()
	began := time.Now()
	if _, err := n.Submit(t.Context(), actors.Submission{Kind: "noop"}); !errors.Is(err, persistence.ErrUnavailable) {
		t.Errorf("submit without an inbox: %v", err)
	}
	if took := time.Since(began); took > 6*time.Second {
		t.Errorf("it took %s to refuse", took)
	}
	safe, err := n.Submit(t.Context(), actors.Submission{Kind: "noop", Queue: "safe", Policy: quick})
	if err != nil {
		t.Errorf("a queue that keeps its jobs in the store first: %v", err)
	}
	release <- struct{}{} // one ends during the outage
	time.Sleep(outage)
	s.redis.Start()
	close(release) // the other after it
	for _, id := range []job.ID{early, late, safe.Job.ID} {
		if j := n.await(id, job.Completed); j.Attempts != 0 || j.Crashes != 0 || j.Token > 2 {
			t.Errorf("an outage of the inbox cost %+v", j)
		}
	}
	if cut.Load() > 0 {
		t.Errorf("%d handlers were cut off", cut.Load())
	}
	n.emptied("default")
	n.emptied("safe")
	n.await(n.submit("noop", nil), job.Completed)
}

func TestTwoNodesShareTheWorkAndSurviveEachOther(t *testing.T) {
	s := onServers(t)
	handlers := map[string]actors.Handler{"nap": func(ctx context.Context, _ *actors.Job) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(300 * time.Millisecond):
			return nil
		}
	}}
	few := func(c *actors.Config) {
		c.Queues, c.Lease = []actors.Queue{{Name: "default", Concurrency: 5}}, 2*time.Second
	}
	one, two := s.start(t, handlers, few), s.start(t, handlers, few)
	ids := make([]job.ID, 40)
	for i := range ids {
		ids[i] = one.submit("nap", nil)
	}
	one.eventually("both have some", func() bool {
		by := map[string]int{}
		records, err := s.store.Get(t.Context(), ids)
		for i := range records {
			by[records[i].Job.Node]++
		}
		return err == nil && by[one.Node()] > 0 && by[two.Node()] > 0
	})
	one.Close()
	killed := time.Now()
	crashed := 0
	for _, id := range ids {
		j := two.await(id, job.Completed)
		if j.Attempts != 0 {
			t.Errorf("spent an attempt: %+v", j)
		}
		if j.Crashes > 1 {
			t.Errorf("one death is counted %d times: %+v", j.Crashes, j)
		}
		crashed += j.Crashes
	}
	t.Logf("%d jobs were adopted; all done %s after the node's end", crashed, time.Since(killed).Round(time.Millisecond))
	if crashed == 0 || crashed > 10 { // five ran, and as many may have ended without having been recorded
		t.Errorf("%d crashes counted, want one for each job that the dead node held", crashed)
	}
}

// A node that is told to go while neither server answers goes all the same, and what it held is done by another.
func TestDrainEndsThoughNobodyAnswers(t *testing.T) {
	s := onServers(t)
	stuck := func(ctx context.Context, _ *actors.Job) error { <-ctx.Done(); return ctx.Err() }
	n := s.start(t, map[string]actors.Handler{"work": stuck}, hasty)
	id := n.submit("work", nil)
	n.await(id, job.Processing)
	s.redis.Kill()
	s.postgres.Kill()
	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := n.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("drained: %v", err)
	}
	n.Close()
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("it took %s to go", took)
	}
	s.redis.Start()
	s.postgres.Start()
	other := s.start(t, map[string]actors.Handler{"work": func(context.Context, *actors.Job) error { return nil }}, hasty)
	if j := other.await(id, job.Completed); j.Attempts != 0 || j.Crashes != 1 {
		t.Errorf("the job was left by its node: %+v", j)
	}
}
