//go:build linux

package postgres

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
	"github.com/meta-ad-studio/troupe/persistence/storetest/testenv"
)

// BenchmarkCommit tells what one job costs in a batch, of the program (ns/op) and of the server's process (server-ns/op), with
// fsync on. Each job has a payload of 200 bytes and the lines of history that its transitions make.
func BenchmarkCommit(b *testing.B) {
	const batch = 500
	server := testenv.StartPostgres(b, testenv.Options{Durable: true, Args: []string{"-c", "shared_buffers=256MB", "-c", "max_wal_size=4GB"}})
	claim, done := job.Claimed{Token: 1, Node: "node-1"}, job.Succeeded{Result: json.RawMessage(`{"ok":true}`)}
	for _, pooler := range []bool{false, true} {
		s := open(b, Config{URL: server.URL, Pooler: pooler, MaxConns: 1})
		for _, step := range []struct {
			name   string
			before []job.Event // in force already; nil if the row is new
			events []job.Event // written
		}{
			{name: "insert/queued"},
			{name: "insert/completed at once", events: []job.Event{claim, done}},
			{name: "update/claimed", before: []job.Event{}, events: []job.Event{claim}},
			{name: "update/progress", before: []job.Event{claim}, events: []job.Event{job.Progressed{Progress: job.Progress{Percent: 50}}}},
			{name: "update/completed", before: []job.Event{claim}, events: []job.Event{done}},
			{name: "update/claimed and completed", before: []job.Event{}, events: []job.Event{claim, done}},
		} {
			b.Run(fmt.Sprintf("pooler=%t/%s", pooler, step.name), func(b *testing.B) {
				var batches [][]persistence.Write
				for made := 0; made < b.N+batch; made += batch {
					writes := make([]persistence.Write, batch)
					for i := range writes {
						j := newJob(func(spec *job.Spec) { spec.Payload = json.RawMessage(`{"prompt":"` + strings.Repeat("x", 180) + `"}`) })
						first := submitted(j)
						events := step.before
						if events == nil {
							events = step.events
						}
						if len(events) > 0 {
							w := after(b, j, events...)
							first = persistence.Write{Job: w.Job, History: append(first.History, w.History...)}
						}
						writes[i] = first
					}
					if step.before != nil {
						mustCommit(b, s, writes...)
						for i := range writes {
							writes[i] = after(b, writes[i].Job, step.events...)
						}
					}
					batches = append(batches, writes)
				}
				mustCommit(b, s, batches[0]...)
				before := serverTime(b, s.pool)
				b.ReportAllocs()
				b.ResetTimer()
				for _, writes := range batches[1:] {
					mustCommit(b, s, writes...)
				}
				b.StopTimer()
				b.ReportMetric(float64(serverTime(b, s.pool)-before)/float64((len(batches)-1)*batch), "server-ns/op")
			})
		}
	}
}

// serverTime is the processor time that the server's process for the pool's only connection has taken.
func serverTime(b *testing.B, pool *pgxpool.Pool) time.Duration {
	b.Helper()
	var pid int
	if err := pool.QueryRow(b.Context(), "SELECT pg_backend_pid()").Scan(&pid); err != nil {
		b.Fatal(err)
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", pid))
	if err != nil {
		b.Fatal(err)
	}
	var ns int64
	if _, err := fmt.Sscan(string(stat), &ns); err != nil {
		b.Fatal(err)
	}
	return time.Duration(ns)
}
