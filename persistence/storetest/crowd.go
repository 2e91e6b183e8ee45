package storetest

import (
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// CrowdSize is how many jobs a store is measured with: 2,000,000, or what the variable STORETEST_CROWD says.
func CrowdSize() int {
	n, err := strconv.Atoi(os.Getenv("STORETEST_CROWD"))
	if err != nil || n < 1 {
		return 2_000_000
	}
	return n
}

// Crowd is what a driver's own statement must fill a store with. Job i of n, from 0, was made at CrowdBegin plus i times CrowdEvery, so
// that n jobs span 46 days; has an id of that millisecond; and is otherwise as follows. Every 50th has failed, every 400th was
// cancelled, of the newest 1 % every 2nd is queued, and of all every 1,000th is scheduled; the others have completed.
//
//	kind         "video.generate", every 7th "mail", every 500,000th from the 250,000th on "rare"
//	queue        q0 to q5, i modulo 6
//	owner        every 2nd: "u" and i modulo 2,000; every 10th: "big"
//	tags         every 20th "spring", every 100,000th also "odd"
//	batch        "b" and i / 1,000 of every job below n / 10
//	payload      {"prompt":"…","campaign":"c<i modulo 5,000>","meta":{"shot":"s<i modulo 300,000>"}}, about 250 bytes
//	failure      code "error", message "provider <i modulo 40> said no", fingerprint "f" and i modulo 40 in eight digits
const CrowdEvery = 2 * time.Second

// CrowdBegin is when the first of n jobs was made.
func CrowdBegin(n int) time.Time {
	return time.Now().Add(-time.Duration(n) * CrowdEvery).UTC().Truncate(time.Second)
}

// MeasureQueries tells how long a crowded store takes for what people ask of it: the median and the longest of several calls.
func MeasureQueries(b *testing.B, st persistence.Store) {
	day := 24 * time.Hour
	payload := func(path, text string) []persistence.PayloadMatch {
		return []persistence.PayloadMatch{{Path: path, Text: text}}
	}
	for _, c := range []struct {
		name  string
		query persistence.Query
	}{
		{"first page", persistence.Query{}},
		{"first page with payloads", persistence.Query{Payloads: true}},
		{"status completed", persistence.Query{Statuses: []job.Status{job.Completed}}},
		{"status failed", persistence.Query{Statuses: []job.Status{job.Failed}}},
		{"status cancelled", persistence.Query{Statuses: []job.Status{job.Cancelled}}},
		{"status queued", persistence.Query{Statuses: []job.Status{job.Queued}}},
		{"status failed, retrying", persistence.Query{Statuses: []job.Status{job.Failed, job.Retrying}}},
		{"kind mail", persistence.Query{Kind: "mail"}},
		{"kind rare", persistence.Query{Kind: "rare"}},
		{"kind absent", persistence.Query{Kind: "absent"}},
		{"queue", persistence.Query{Queue: "q3"}},
		{"queue, failed", persistence.Query{Queue: "q4", Statuses: []job.Status{job.Failed}}},
		{"owner u7", persistence.Query{Owner: "u7"}},
		{"owner big", persistence.Query{Owner: "big"}},
		{"owner big, failed", persistence.Query{Owner: "big", Statuses: []job.Status{job.Failed}}},
		{"owner big, kind absent", persistence.Query{Owner: "big", Kind: "absent"}},
		{"tag spring", persistence.Query{Tag: "spring"}},
		{"tag odd", persistence.Query{Tag: "odd"}},
		{"tag spring, kind absent", persistence.Query{Tag: "spring", Kind: "absent"}},
		{"batch", persistence.Query{Batch: "b5"}},
		{"fingerprint", persistence.Query{Fingerprint: "f00000010"}},
		{"age < 2 days", persistence.Query{From: time.Now().Add(-2 * day)}},
		{"age > 20 days", persistence.Query{To: time.Now().Add(-20 * day)}},
		{"age > 20 days, kind mail", persistence.Query{To: time.Now().Add(-20 * day), Kind: "mail"}},
		{"word that is there", persistence.Query{Texts: []string{"BICYCLE"}}},
		{"word that is not", persistence.Query{Texts: []string{"needle in the hay"}}},
		{"error, failed", persistence.Query{Errors: []string{"provider 10 said"}, Statuses: []job.Status{job.Failed}}},
		{"error that is not", persistence.Query{Errors: []string{"timeout"}}},
		{"payload.campaign", persistence.Query{Payload: payload("campaign", "c77")}},
		{"payload.meta.shot", persistence.Query{Payload: payload("meta.shot", "s4321")}},
		{"payload absent", persistence.Query{Payload: payload("meta.shot", "absent")}},
		{"owner u7, payload", persistence.Query{Owner: "u7", Payload: payload("campaign", "c77")}},
		{"dead, word that is not", persistence.Query{Statuses: []job.Status{job.Failed}, Texts: []string{"needle"}}},
	} {
		c.query.Bounded = true
		b.Run(c.name, func(b *testing.B) {
			measure(b, func() error {
				page, err := st.List(b.Context(), c.query)
				b.ReportMetric(float64(len(page.Jobs)), "jobs")
				if page.Cut {
					b.ReportMetric(time.Since(page.Next.Time()).Hours(), "h-back")
				}
				return err
			})
		})
	}
	b.Run("dead groups", func(b *testing.B) {
		measure(b, func() error {
			groups, err := st.DeadGroups(b.Context(), persistence.Query{})
			b.ReportMetric(float64(len(groups.Groups)), "groups")
			return err
		})
	})
	b.Run("waiting", func(b *testing.B) {
		measure(b, func() error {
			ids, err := st.Waiting(b.Context(), "q4", persistence.MaxWaiting)
			b.ReportMetric(float64(len(ids)), "jobs")
			return err
		})
	})
}

func measure(b *testing.B, call func() error) {
	var took []time.Duration
	for b.Loop() {
		begun := time.Now()
		if err := call(); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(begun))
	}
	slices.Sort(took)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	b.ReportMetric(ms(took[len(took)/2]), "p50-ms")
	b.ReportMetric(ms(took[len(took)-1]), "max-ms")
	b.ReportMetric(0, "ns/op")
}
