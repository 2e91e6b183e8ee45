package redis

import (
	"slices"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
	"github.com/meta-ad-studio/troupe/persistence/storetest"
	"github.com/meta-ad-studio/troupe/persistence/storetest/testenv"
)

// BenchmarkReapHolder measures a walk over 100,000 leases of three nodes, of which one is dead: the whole, and the longest of its calls.
func BenchmarkReapHolder(b *testing.B) {
	const leases, page = 99_000, 500
	c := connect(b, Config{URL: testenv.StartRedis(b, testenv.Options{}).URL})
	in, rng := c.Inbox(), storetest.Random(b)
	for range leases / measuredBatch {
		entries, _ := measuredEntries(rng)
		if _, err := in.Enqueue(b.Context(), "films", entries); err != nil {
			b.Fatal(err)
		}
	}
	nodes := []string{"node-a", "node-b", "dead"}
	claim := func() {
		for i, claimed := 0, 0; claimed < leases; i++ {
			got, err := in.Claim(b.Context(), "films", nodes[i%len(nodes)], persistence.Ask{Max: 100, Lease: time.Hour})
			if err != nil || len(got) == 0 {
				b.Fatalf("claimed %d: %v", claimed, err)
			}
			claimed += len(got)
		}
	}
	claim()
	var took []time.Duration
	var walks, cpu time.Duration // of the clients' waiting, and of the server's processor
	for b.Loop() {
		var reaped []job.ID
		before := serverCPU(b, c)
		for after := ""; ; {
			begun := time.Now()
			ids, next, err := in.ReapHolder(b.Context(), "films", "dead", after, page)
			if err != nil {
				b.Fatal(err)
			}
			took, reaped = append(took, time.Since(begun)), append(reaped, ids...)
			if after = next; after == "" {
				break
			}
		}
		cpu += serverCPU(b, c) - before
		if len(reaped) != leases/len(nodes) {
			b.Fatalf("%d were reaped, want %d", len(reaped), leases/len(nodes))
		}
		b.StopTimer()
		for left := len(reaped); left > 0; {
			got, err := in.Claim(b.Context(), "films", "dead", persistence.Ask{Max: measuredBatch, Lease: time.Hour})
			if err != nil {
				b.Fatal(err)
			}
			left -= len(got)
		}
		b.StartTimer()
	}
	for _, d := range took {
		walks += d
	}
	slices.Sort(took)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	b.ReportMetric(ms(walks)/float64(b.N), "walk-ms")
	b.ReportMetric(float64(len(took))/float64(b.N), "calls")
	b.ReportMetric(ms(took[len(took)/2]), "call-p50-ms")
	b.ReportMetric(ms(took[len(took)-1]), "call-max-ms")
	b.ReportMetric(ms(took[len(took)/10]), "call-p10-ms")
	b.ReportMetric(ms(cpu)/float64(len(took)), "redis-ms/call")
	b.ReportMetric(0, "ns/op")
}
