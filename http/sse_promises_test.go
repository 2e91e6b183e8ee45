package httpapi

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence/storetest/testenv"
)

// properties are what streams promise, and the tests that hold them to it. P13 is also FuzzFrame's, P15 is the pages'.
var properties = map[string][]func(*testing.T){
	"P1 convergence":         {TestClientsThatComeAndGoMissNothing, TestRandomDisconnects, TestTheEndIsSeenThoughNobodyTold},
	"P2 monotonic":           {TestClientsThatComeAndGoMissNothing, TestRandomDisconnects},
	"P3 at least once":       {TestClientsThatComeAndGoMissNothing, TestRandomDisconnects},
	"P4 the end is seen":     {TestRandomDisconnects, TestTheEndIsSeenAtAnotherNode, TestTheEndIsSeenAfterTheBusWasGone, TestTheEndIsSeenOnAClusterThatFalters, TestTheBackstopFindsWhatAStreamWasNeverSent},
	"P5 nothing invented":    {TestNothingIsSaidBeforeItIsCommitted},
	"P6 atomic subscription": {TestSubscribersAtAnyMoment},
	"P7 conflation":          {TestClientsThatComeAndGoMissNothing},
	"P8 isolation":           {TestAStalledReaderHoldsUpNobody},
	"P9 resume is snapshot":  {TestAResumptionShowsWhatASnapshotShows},
	"P10 authorisation":      {TestEverythingButTheDoorNeedsAToken, TestAStreamIsHeldToItsToken, TestAStreamEndsWithItsToken},
	"P11 liveness":           {TestSilenceIsShort},
	"P12 drain":              {TestDrain, TestADrainIsSpread},
	"P13 framing":            {TestOneFrameIsOneWrite},
	"P14 transports":         {TestFramesOverEachTransport, TestFirstByte},
}

func TestEveryPropertyHasATest(t *testing.T) {
	for n := range 14 {
		found := 0
		for name, tests := range properties {
			var number int
			if _, err := fmt.Sscanf(name, "P%d", &number); err == nil && number == n+1 {
				found += len(tests)
			}
		}
		if found == 0 {
			t.Errorf("P%d has no test", n+1)
		}
	}
}

// P9: who goes on where they stood ends up with what somebody sees who has just come, whatever happened in between.
func TestAResumptionShowsWhatASnapshotShows(t *testing.T) {
	t.Parallel()
	rig := newWorld(t, testenv.Redis(t)).start(nil, nil)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	rig.await(rig.submit(`{"kind":"echo"}`), job.Completed)
	old := watch(t, rig.URL, "/v1/stream?topic=all")
	c := old.connect(limited(t))
	c.until(eventReady)
	c.close()
	for range 10 {
		for range 1 + rng.IntN(10) {
			id := rig.submit(fmt.Sprintf(`{"kind":%q}`, []string{"echo", "boom", "steps"}[rng.IntN(3)]))
			if rng.IntN(4) == 0 {
				do(t, rig.Server, "POST", "/v1/jobs/"+id.String()+"/cancel", "")
			}
			if rng.IntN(6) == 0 {
				waitFor(t, "the job to end", func() bool {
					var v job.View
					do(t, rig.Server, "GET", "/v1/jobs/"+id.String(), "").decode(t, &v)
					return v.Terminal
				})
				do(t, rig.Server, "DELETE", "/v1/jobs/"+id.String(), "")
			}
		}
		waitFor(t, "all jobs to end", func() bool {
			var page jobPage
			do(t, rig.Server, "GET", "/v1/jobs?limit=1&status=scheduled,queued,processing,retrying,cancelling", "").decode(t, &page)
			return len(page.Jobs) == 0
		})
		waitFor(t, "both to agree", func() bool {
			c := old.connect(limited(t))
			c.until(eventReady)
			c.close()
			fresh := watch(t, rig.URL, old.path)
			f := fresh.connect(limited(t))
			f.until(eventReady)
			f.close()
			if f.hello.Mode != "snapshot" || c.hello.Mode != "resume" {
				t.Errorf("modes %s and %s", f.hello.Mode, c.hello.Mode)
			}
			return cmp.Equal(old.told(), fresh.told())
		})
	}
}

// P11: a stream is never silent for much longer than the time between two heartbeats, whether much happens or nothing.
func TestSilenceIsShort(t *testing.T) {
	t.Parallel()
	const beat = 200 * time.Millisecond
	rig := newRig(t, func(c *Config) { c.Streams.Heartbeat = beat })
	c := watch(t, rig.URL, "/v1/stream?topic=all").connect(limited(t))
	defer c.close()
	c.until(eventReady)
	last, beats := time.Now(), 0
	for began := last; time.Since(began) < 3*time.Second; {
		if time.Since(began) > time.Second && beats < 8 {
			rig.submit(`{"kind":"echo"}`) // now and then something happens
		}
		if e := c.next(); e.name == eventBeat {
			beats++
		}
		if gap := time.Since(last); gap > beat+800*time.Millisecond { // the machine may be busy
			t.Errorf("silent for %s", gap)
		}
		last = time.Now()
	}
	if beats < 3 {
		t.Errorf("%d heartbeats in 3 s", beats)
	}
}

// P12: streams end spread over the window: no twentieth of it holds more than 15 % of them.
func TestADrainIsSpread(t *testing.T) {
	t.Parallel()
	const streams, window, parts = 150, 2 * time.Second, 20
	rig := newRig(t, func(c *Config) { c.Streams.PerIP = streams })
	ends := make(chan time.Duration, streams)
	var began time.Time
	var reading sync.WaitGroup
	defer reading.Wait()
	begin := make(chan struct{})
	for range streams {
		c := watch(t, rig.URL, "/v1/stream?topic=owner:nobody").connect(limited(t))
		c.until(eventReady)
		reading.Go(func() {
			defer c.close()
			<-begin
			if e, ok := c.tryNext(); !ok || e.name != eventEnd {
				t.Errorf("%+v", e)
			}
			ends <- time.Since(began)
		})
	}
	began = time.Now()
	close(begin)
	rig.handler.Drain(window)
	var buckets [parts + 1]int
	for range streams {
		buckets[min(int(<-ends*parts/window), parts)]++
	}
	for i, n := range buckets {
		if n > streams*15/100 {
			t.Errorf("part %d of the window holds %d of %d ends: %v", i, n, streams, buckets)
		}
	}
}
