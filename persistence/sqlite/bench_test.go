package sqlite_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
	"github.com/meta-ad-studio/troupe/persistence/sqlite"
)

func entryOf(b *testing.B, j *job.Job) persistence.Entry {
	envelope, err := job.EncodeEnvelope(j)
	if err != nil {
		b.Fatal(err)
	}
	return persistence.Entry{ID: j.ID, Life: 1, Priority: j.Priority, Envelope: envelope}
}

// BenchmarkAccept is one durable accept into the inbox, by so many callers at once.
func BenchmarkAccept(b *testing.B) {
	for _, callers := range []int{1, 32, 256} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			inbox := fresh(b).Inbox()
			entries := make([]persistence.Entry, b.N)
			rng := rand.New(rand.NewPCG(1, uint64(b.N)))
			for n := range entries {
				j := newJob(rng)
				entries[n] = entryOf(b, &j)
			}
			b.ResetTimer()
			var next atomic.Int64
			var wg sync.WaitGroup
			for range callers {
				wg.Go(func() {
					for n := next.Add(1) - 1; n < int64(b.N); n = next.Add(1) - 1 {
						if _, err := inbox.Enqueue(b.Context(), "films", entries[n:n+1]); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
		})
	}
}

// BenchmarkDrain is the whole way of jobs that wait: claimed, committed as processing and completed in one coalesced write, settled, in batches.
func BenchmarkDrain(b *testing.B) {
	const batch = 500
	path := filepath.Join(b.TempDir(), "troupe.db")
	db := open(b, path)
	rng := rand.New(rand.NewPCG(2, uint64(b.N)))
	fill(b, db, rng, b.N)
	b.ResetTimer()
	for done := 0; done < b.N; {
		claims, err := db.Inbox().Claim(b.Context(), "films", "node", persistence.Ask{Max: batch, Lease: time.Hour})
		if err != nil || len(claims) == 0 {
			b.Fatalf("claimed %d after %d of %d: %v", len(claims), done, b.N, err)
		}
		writes := make([]persistence.Write, len(claims))
		settlements := make([]persistence.Settlement, len(claims))
		for n, c := range claims {
			writes[n] = life(b, c)
			settlements[n] = persistence.Settlement{Lease: persistence.Lease{ID: c.ID, Token: c.Token, Node: "node"}, Verb: persistence.Ack}
		}
		if _, err := db.Store().Commit(b.Context(), writes); err != nil {
			b.Fatal(err)
		}
		if _, err := db.Inbox().Settle(b.Context(), "films", settlements); err != nil {
			b.Fatal(err)
		}
		done += len(claims)
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(info.Size())/float64(b.N), "file-bytes/job")
}

// life is a job's way from claim to completion as one write.
func life(b *testing.B, c persistence.Claim) persistence.Write {
	j, err := job.DecodeEnvelope(c.Envelope)
	if err != nil {
		b.Fatal(err)
	}
	w := persistence.Write{History: []job.Transition{j.FirstTransition()}}
	for _, e := range []job.Event{job.Claimed{Token: c.Token, Node: "node"}, job.Succeeded{Result: []byte(`{"videoUrl":"https://example.org/v.mp4"}`)}} {
		next, line, err := j.Apply(e, time.Now())
		if err != nil {
			b.Fatal(err)
		}
		j = next
		w.History = append(w.History, *line)
	}
	w.Job = j
	return w
}

func fill(b *testing.B, db *sqlite.DB, rng *rand.Rand, jobs int) {
	b.Helper()
	for done := 0; done < jobs; {
		var entries []persistence.Entry
		for range min(persistence.MaxBatch, jobs-done) {
			j := newJob(rng)
			entries = append(entries, entryOf(b, &j))
		}
		if _, err := db.Inbox().Enqueue(b.Context(), "films", entries); err != nil {
			b.Fatal(err)
		}
		done += len(entries)
	}
}

// BenchmarkBacklog is a claim of one and its return, with so many jobs waiting: the cost must not grow with them.
func BenchmarkBacklog(b *testing.B) {
	for _, jobs := range []int{1_000, 1_000_000} {
		b.Run(fmt.Sprintf("waiting=%d", jobs), func(b *testing.B) {
			db := fresh(b)
			fill(b, db, rand.New(rand.NewPCG(3, 3)), jobs)
			inbox := db.Inbox()
			for b.Loop() {
				claims, err := inbox.Claim(b.Context(), "films", "node", persistence.Ask{Max: 1, Lease: time.Hour})
				if err != nil || len(claims) != 1 {
					b.Fatalf("claimed %d: %v", len(claims), err)
				}
				lease := persistence.Lease{ID: claims[0].ID, Token: claims[0].Token, Node: "node"}
				if _, err := inbox.Settle(b.Context(), "films", []persistence.Settlement{{Lease: lease, Verb: persistence.Return}}); err != nil {
					b.Fatal(err)
				}
				if _, err := inbox.Depth(b.Context(), "films"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkOpen is the opening of a file, new and with many jobs in it.
func BenchmarkOpen(b *testing.B) {
	for _, jobs := range []int{0, 100_000} {
		b.Run(fmt.Sprintf("jobs=%d", jobs), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "troupe.db")
			db, err := sqlite.Open(b.Context(), path)
			if err != nil {
				b.Fatal(err)
			}
			fill(b, db, rand.New(rand.NewPCG(4, 4)), jobs)
			if err := db.Close(); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				db, err := sqlite.Open(b.Context(), path)
				if err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				if err := db.Close(); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		})
	}
}
