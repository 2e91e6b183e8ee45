package storetest

import (
	"slices"
	"strings"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

func (t *storeTest) list(q persistence.Query) persistence.Page {
	t.Helper()
	page, err := t.st.List(t.ctx, q)
	t.check(err)
	return page
}

// population is jobs that share few values, so that every filter selects some of them; newest last.
func (t *storeTest) population(n int) []job.Job {
	pick := func(values ...string) string { return values[t.rng.IntN(len(values))] }
	begin := time.Now().Add(-time.Duration(n) * time.Minute).Truncate(time.Microsecond).UTC()
	jobs := make([]job.Job, n)
	for i := range jobs {
		j := RandomJob(t.rng)
		created := begin.Add(time.Duration(i) * time.Minute)
		j.ID, j.Created = NewID(t.rng, created), created
		j.Kind, j.Queue, j.Owner = pick("Video.Make", "mail"), pick("films", "post"), pick("", "ann", "bob")
		j.Group, j.Batch = pick("", "g1", "g2"), pick("", "b1", "b2")
		j.Tags = slices.Compact([]string{pick("red", "green"), pick("big", "red")})
		j.Payload = []byte(pick(`{"prompt":"A Dog%_ on the Moon"}`, `{"prompt":"ein Hündchen"}`, `null`))
		if j.Failure = nil; t.rng.IntN(2) == 0 {
			j.Failure = job.NewFailure(job.CodeError, pick("provider said NO", "timeout after 3 s"))
		}
		jobs[i] = j
	}
	return jobs
}

// listed is what a list shows of jobs: those that match, newest first, without their large fields.
func listed(jobs []job.Job, match func(*job.Job) bool) []job.Job {
	var shown []job.Job
	for _, j := range slices.Backward(jobs) {
		if match(&j) {
			j.Payload, j.Result, j.Checkpoint = nil, nil, nil
			shown = append(shown, j)
		}
	}
	return shown
}

// contains is what the filter by text looks for, in the letters that every store must fold.
func contains(j *job.Job, text string) bool {
	in := func(s string) bool { return strings.Contains(strings.ToLower(s), strings.ToLower(text)) }
	return in(j.Kind) || in(string(j.Payload)) || j.Failure != nil && in(j.Failure.Message)
}

var listCases = []storeCase{
	{"each filter selects what matches, and all together what matches all", func(t *storeTest) {
		jobs := t.population(120)
		t.put(jobs...)
		failure := job.NewFailure(job.CodeError, "provider said no").Fingerprint // other letters, other print
		for _, j := range jobs {
			if j.Failure != nil {
				failure = j.Failure.Fingerprint
			}
		}
		from, to := jobs[30].Created, jobs[90].Created
		type filter struct {
			name  string
			set   func(*persistence.Query)
			match func(*job.Job) bool
		}
		filters := []filter{
			{"status", func(q *persistence.Query) { q.Statuses = []job.Status{job.Failed} }, func(j *job.Job) bool { return j.Status == job.Failed }},
			{
				"statuses", func(q *persistence.Query) {
					q.Statuses = []job.Status{job.Queued, job.Completed, job.Processing, job.Failed}
				},
				func(j *job.Job) bool {
					return j.Status == job.Queued || j.Status == job.Completed || j.Status == job.Processing || j.Status == job.Failed
				},
			},
			{"kind", func(q *persistence.Query) { q.Kind = "mail" }, func(j *job.Job) bool { return j.Kind == "mail" }},
			{"queue", func(q *persistence.Query) { q.Queue = "films" }, func(j *job.Job) bool { return j.Queue == "films" }},
			{"owner", func(q *persistence.Query) { q.Owner = "ann" }, func(j *job.Job) bool { return j.Owner == "ann" }},
			{"tag", func(q *persistence.Query) { q.Tag = "red" }, func(j *job.Job) bool { return slices.Contains(j.Tags, "red") }},
			{"group", func(q *persistence.Query) { q.Group = "g1" }, func(j *job.Job) bool { return j.Group == "g1" }},
			{"batch", func(q *persistence.Query) { q.Batch = "b2" }, func(j *job.Job) bool { return j.Batch == "b2" }},
			{
				"fingerprint", func(q *persistence.Query) { q.Fingerprint = failure },
				func(j *job.Job) bool { return j.Failure != nil && j.Failure.Fingerprint == failure },
			},
			{"from", func(q *persistence.Query) { q.From = from }, func(j *job.Job) bool { return !j.Created.Before(from) }},
			{"to", func(q *persistence.Query) { q.To = to }, func(j *job.Job) bool { return j.Created.Before(to) }},
			{"before", func(q *persistence.Query) { q.Before = jobs[80].ID }, func(j *job.Job) bool { return j.ID.Compare(jobs[80].ID) < 0 }},
		}
		filters = append(filters, []filter{
			{
				"status live or dead", func(q *persistence.Query) { q.Statuses = []job.Status{job.Failed, job.Retrying, job.Queued} },
				func(j *job.Job) bool {
					return j.Status == job.Failed || j.Status == job.Retrying || j.Status == job.Queued
				},
			},
			{"status cancelled", func(q *persistence.Query) { q.Statuses = []job.Status{job.Cancelled} }, func(j *job.Job) bool { return j.Status == job.Cancelled }},
			{
				"ids", func(q *persistence.Query) { q.IDs = []job.ID{jobs[7].ID, NewID(t.rng, from), jobs[95].ID, jobs[31].ID} },
				func(j *job.Job) bool { return slices.Contains([]job.ID{jobs[7].ID, jobs[95].ID, jobs[31].ID}, j.ID) },
			},
			{
				"range", func(q *persistence.Query) { q.Lowest, q.Highest = jobs[20].ID, jobs[100].ID },
				func(j *job.Job) bool { return j.ID.Compare(jobs[20].ID) >= 0 && j.ID.Compare(jobs[100].ID) <= 0 },
			},
			{
				"errors", func(q *persistence.Query) { q.Errors = []string{"SAID no", "ERR"} },
				func(j *job.Job) bool { return j.Failure != nil && strings.Contains(j.Failure.Message, "said NO") },
			},
			{
				"payload", func(q *persistence.Query) {
					q.Payload = []persistence.PayloadMatch{{Path: "prompt", Text: "ein Hündchen"}}
				},
				func(j *job.Job) bool { return strings.Contains(string(j.Payload), "Hündchen") },
			},
			{
				"text words", func(q *persistence.Query) { q.Texts = []string{"moon", "dog"} },
				func(j *job.Job) bool { return contains(j, "moon") },
			},
		}...)
		for _, text := range []string{"VIDEO.m", "said no", "a dog", "%_", "%", "_", "moon\"}", "ündchen", "absent"} {
			filters = append(filters, filter{
				"text " + text, func(q *persistence.Query) { q.Texts = []string{text} }, func(j *job.Job) bool { return contains(j, text) },
			})
		}
		everything := listed(jobs, func(*job.Job) bool { return true })
		t.want("no filter", t.list(persistence.Query{Limit: persistence.MaxPage}), persistence.Page{Jobs: everything})
		for _, f := range filters {
			q := persistence.Query{Limit: persistence.MaxPage}
			f.set(&q)
			t.want(f.name, t.list(q), persistence.Page{Jobs: listed(jobs, f.match)})
			q.Bounded = true
			t.want(f.name+", bounded", t.list(q), persistence.Page{Jobs: listed(jobs, f.match)})
		}
		for range 60 {
			q := persistence.Query{Limit: persistence.MaxPage, Bounded: t.rng.IntN(2) == 0}
			var chosen []filter
			for range 2 + t.rng.IntN(2) {
				f := filters[t.rng.IntN(len(filters))]
				if slices.ContainsFunc(chosen, func(c filter) bool { return c.name[:2] == f.name[:2] }) {
					continue // one of a field
				}
				f.set(&q)
				chosen = append(chosen, f)
			}
			want := listed(jobs, func(j *job.Job) bool {
				return !slices.ContainsFunc(chosen, func(f filter) bool { return !f.match(j) })
			})
			if diff := storedDiff(persistence.Page{Jobs: want}, t.list(q)); diff != "" {
				t.Errorf("%+v (-want +got):\n%s", q, diff)
			}
		}
	}},
	{"pages follow each other and the last one says so", func(t *storeTest) {
		jobs := t.population(25)
		t.put(jobs...)
		for _, limit := range []int{1, 4, 5, 24, 25, 26} {
			var got []job.ID
			q := persistence.Query{Limit: limit, Bounded: t.rng.IntN(2) == 0}
			for pages := 1; ; pages++ {
				page := t.list(q)
				got = append(got, jobIDs(page.Jobs)...)
				if page.Next.IsZero() {
					t.want("pages", pages, (len(jobs)+limit-1)/limit)
					break
				}
				if len(page.Jobs) != limit || pages > len(jobs) {
					t.Fatalf("page %d of limit %d has %d jobs and a next one", pages, limit, len(page.Jobs))
				}
				q.Before = page.Next
			}
			t.want("ids", got, jobIDs(listed(jobs, func(*job.Job) bool { return true })))
		}
	}},
	{"pages stay in order while jobs come and change", func(t *storeTest) {
		jobs := t.population(10)
		t.put(jobs...)
		page := t.list(persistence.Query{Limit: 4})
		t.put(t.submitted())
		want := listed(jobs, func(*job.Job) bool { return true })
		t.want("second page", jobIDs(t.list(persistence.Query{Limit: 4, Before: page.Next}).Jobs), jobIDs(want[4:8]))
	}},
	{"without a limit a page is of the default size", func(t *storeTest) {
		t.put(t.population(persistence.DefaultPage + 1)...)
		page := t.list(persistence.Query{})
		t.want("jobs", len(page.Jobs), persistence.DefaultPage)
		t.want("last", page.Next.IsZero(), false)
	}},
	{"an empty store lists nothing", func(t *storeTest) {
		t.want("page", t.list(persistence.Query{}), persistence.Page{})
	}},
}

var liveCases = []storeCase{
	{"live reads jobs that have not ended, whole, in the order of their ids", func(t *storeTest) {
		jobs := t.population(60)
		t.put(jobs...)
		var want, got []persistence.Record
		for _, j := range jobs {
			if !j.Status.Terminal() {
				want = append(want, persistence.Record{Job: j})
			}
		}
		if len(want) > 0 {
			_, err := t.st.RequestCancel(t.ctx, want[0].Job.ID, word("ann"))
			t.check(err)
			want[0].Job.Cancel = new(word("ann"))
		}
		var after job.ID
		for range jobs {
			page, err := t.st.Live(t.ctx, after, 7)
			t.check(err)
			if len(page) == 0 {
				break
			}
			if len(page) > 7 {
				t.Fatalf("%d records, asked for 7", len(page))
			}
			got = append(got, page...)
			after = page[len(page)-1].Job.ID
		}
		t.want("live", got, want)
	}},
}
