package postgres

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// TestProgressUpdatesRowsInPlace holds the rule of the schema: no index mentions what changes while a job lives.
func TestProgressUpdatesRowsInPlace(t *testing.T) {
	s := open(t, Config{MaxConns: 1})
	writes := make([]persistence.Write, 200)
	for i := range writes {
		writes[i] = submitted(newJob(func(spec *job.Spec) { spec.Owner, spec.Batch, spec.Tags = "o", "b", []string{"t"} }))
	}
	mustCommit(t, s, writes...)
	const changes = 10
	for n := range changes {
		for i := range writes {
			if n == 0 {
				writes[i] = after(t, writes[i].Job, job.Claimed{Token: 1, Node: "n"})
			} else {
				writes[i] = after(t, writes[i].Job, job.Progressed{Progress: job.Progress{Percent: float64(n), Note: "on the way"}})
			}
		}
		mustCommit(t, s, writes...)
	}
	c := connect(t, s)
	if _, err := s.pool.Exec(t.Context(), "SELECT pg_stat_force_next_flush()"); err != nil { // sessions keep counts to themselves for a while
		t.Fatal(err)
	}
	var hot, all int64
	eventually(t, "the server counts the updates", func() bool {
		if err := c.QueryRow(t.Context(), "SELECT n_tup_hot_upd, n_tup_upd FROM pg_stat_user_tables WHERE relname = 'jobs'").Scan(&hot, &all); err != nil {
			t.Fatal(err)
		}
		return all == changes*int64(len(writes))
	})
	t.Logf("%d of %d updates in place", hot, all)
	if hot*2 < all {
		t.Errorf("only %d of %d updates were in place", hot, all)
	}
}

func TestViewOfVideos(t *testing.T) {
	s := open(t, Config{})
	video := func(payload string) job.Job {
		return newJob(func(spec *job.Spec) { spec.Kind, spec.Payload = "video.generate", json.RawMessage(payload) })
	}
	claim := job.Claimed{Token: 1, Node: "n"}
	made := after(t, video(`{"prompt":"a \"cat\"","imageUrl":"http://i/1.png","provider":"local"}`), claim,
		job.Succeeded{Result: json.RawMessage(`{"videoUrl":"/v1/jobs/x/artifacts/video.mp4"}`)})
	broken := after(t, video(`{"prompt":"nul \u0000 half \ud800 kept \\u0000"}`), claim,
		job.AttemptFailed{Failure: job.NewFailure(job.CodeError, "out of credit"), Permanent: true})
	odd := submitted(video(`["not an object"]`))
	empty := submitted(video(``))
	mustCommit(t, s, made, broken, odd, empty, submitted(newJob()))

	type row struct {
		ID, Status                                string
		Prompt, ImageURL, VideoURL, Provider, Err *string
		Created                                   time.Time
		Completed                                 *time.Time
	}
	rows, err := connect(t, s).Query(t.Context(), `
		SELECT id, status, prompt, "imageUrl", "videoUrl", provider, error, "createdAt", "completedAt"
		FROM "VideoGenerationJob" ORDER BY id`)
	if err != nil {
		t.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowToStructByPos[row])
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 4 {
		t.Fatalf("%d videos", len(got))
	}
	text := func(s *string) string {
		if s == nil {
			return "(null)"
		}
		return *s
	}
	for i, want := range []string{
		`completed|a "cat"|http://i/1.png|/v1/jobs/x/artifacts/video.mp4|local|(null)`,
		"failed|nul \uFFFD half \uFFFD kept \\u0000|(null)|(null)|(null)|out of credit",
		"queued|(null)|(null)|(null)|(null)|(null)",
		"queued|(null)|(null)|(null)|(null)|(null)",
	} {
		r := got[i]
		if line := strings.Join([]string{r.Status, text(r.Prompt), text(r.ImageURL), text(r.VideoURL), text(r.Provider), text(r.Err)}, "|"); line != want {
			t.Errorf("row %d:\ngot  %s\nwant %s", i, line, want)
		}
	}
	if r := got[0]; r.ID != made.Job.ID.String() || !r.Created.Equal(made.Job.Created) || r.Completed == nil || !r.Completed.Equal(made.Job.Finished) {
		t.Errorf("got %+v for job %+v", r, made.Job)
	}
}

// TestStatementsUseIndexes asks for plans over a table of which the server knows nothing, as it is when a plan is made and
// kept that a large table will be read by.
func TestStatementsUseIndexes(t *testing.T) {
	s := open(t, Config{})
	c, err := s.pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Release()
	plan := func(sql string, params [][]byte) string {
		t.Helper()
		var lines []string
		rr := c.Conn().PgConn().ExecParams(t.Context(), "EXPLAIN "+sql, params, nil, inBinary, inBinary)
		if err := drain(rr, func(row [][]byte) error {
			lines = append(lines, string(row[0]))
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return strings.Join(lines, "\n")
	}
	id, ten := newID(), int8Param(10)
	w := after(t, newJob(), job.Claimed{Token: 1, Node: "n"})
	var update arrays
	if err := (rows{&w}).update(&update); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		sql    string
		params [][]byte
		index  string
	}{
		"live":          {statements.live.sql, [][]byte{id[:], ten}, "jobs_live"},
		"waiting":       {statements.waiting.sql, [][]byte{[]byte("q"), ten, ten}, "jobs_live"},
		"get":           {statements.get.sql, [][]byte{uuids([]job.ID{id})}, "jobs_pkey"},
		"fences":        {statements.fences.sql, [][]byte{uuids([]job.ID{id})}, "jobs_pkey"},
		"update":        {statements.update.sql, update.params(), "jobs_pkey"},
		"history":       {statements.history.sql, [][]byte{id[:]}, "job_events_pkey"},
		"remove":        {statements.remove.sql, [][]byte{uuids([]job.ID{id}), timeParam(time.Now())}, "job_events_pkey"},
		"append_lines":  {statements.appendLines.sql, appendParams([]persistence.Append{{Job: id, Channel: 1, Token: 1, Lines: make([]persistence.Line, 1)}}), "job_lines_pkey"},
		"weigh_lines":   {statements.weighLines.sql, [][]byte{uuids([]job.ID{id}), ten}, "job_lines_pkey"},
		"read_lines":    {statements.readLines.sql, [][]byte{id[:], {0, 1}, ten, ten, boolParam(true)}, "job_lines_pkey"},
		"bound_lines":   {statements.boundLines.sql, [][]byte{id[:], {0, 1}}, "job_lines_pkey"},
		"lines removed": {statements.remove.sql, [][]byte{uuids([]job.ID{id}), timeParam(time.Now())}, "job_lines_pkey"},
		"expired":       {statements.expired.sql, [][]byte{timeParam(time.Now()), ten}, "jobs_times"},
		"video":         {`SELECT * FROM "VideoGenerationJob" WHERE id = $1`, [][]byte{[]byte("x")}, "jobs_video_id"},
	} {
		if got := plan(c.sql, c.params); !strings.Contains(got, c.index) || strings.Contains(got, "Seq Scan on job") {
			t.Errorf("%s does not use %s:\n%s", name, c.index, got)
		}
	}
	for index, q := range map[string]persistence.Query{
		"jobs_pkey":        {Before: id},
		"jobs_live":        {Statuses: []job.Status{job.Queued, job.Processing}},
		"jobs_dead":        {Statuses: []job.Status{job.Failed}},
		"jobs_owner":       {Owner: "o"},
		"jobs_group":       {Group: "g"},
		"jobs_batch":       {Batch: "b"},
		"jobs_fingerprint": {Fingerprint: "f"},
		"jobs_tags":        {Tag: "t"},
	} {
		sql, params := selection(&q, anchor{}, job.ID{}, q.Before).statement(listSQL(&q), 10)
		if got := plan(sql, params); !strings.Contains(got, index) || strings.Contains(got, "Seq Scan on job") {
			t.Errorf("list %+v does not use %s:\n%s", q, index, got)
		}
		if index == "jobs_tags" {
			continue // gives no order
		}
		// A step of a search goes along its index: its end is found and its jobs are read without sorting.
		along := append(anchors(&q), anchor{})[0]
		w := &where{}
		w.ids(job.ID{1}, id)
		along.add(w)
		edge, params := w.statement(edgeSQL, persistence.SearchStep)
		if got := plan(edge, params); !strings.Contains(got, index) || strings.Contains(got, "Seq Scan") || strings.Contains(got, "Sort") {
			t.Errorf("the edge of %+v does not use %s:\n%s", q, index, got)
		}
		q.Kind, q.Texts, q.Payload = "k", []string{"x"}, []persistence.PayloadMatch{{Path: "a.b", Text: "x"}}
		sql, params = selection(&q, along, job.ID{1}, id).statement(listSQL(&q), 10)
		if got := plan(sql, params); !strings.Contains(got, index) || strings.Contains(got, "Seq Scan on job") || strings.Contains(got, "Sort") {
			t.Errorf("a step of %+v does not use %s:\n%s", q, index, got)
		}
	}
}
