package sqlite

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// openForTest opens a new file.
func openForTest(t *testing.T) *DB {
	t.Helper()
	db, err := Open(t.Context(), filepath.Join(t.TempDir(), "a %file?#.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// TestStatementsUseIndexes holds every statement that runs beside a growing table to its index: it searches, it neither
// scans the table nor sorts. What is listed with a statement must stand in its plan.
func TestStatementsUseIndexes(t *testing.T) {
	db := openForTest(t)
	list := func(q persistence.Query) *query {
		along := anchor{}
		if all := anchors(&q); len(all) > 0 {
			along = all[0]
		}
		text, _ := selection(summaryColumns, &q, along, job.ID{1}, job.ID{9}, 50)
		return inline("list", text)
	}
	edge := func(q persistence.Query) *query {
		text, _ := edgeOf(append(anchors(&q), anchor{})[0], job.ID{1}, job.ID{9}, 2000)
		return inline("edge", text)
	}
	for _, c := range []struct {
		query *query
		index string
	}{
		{claimEntries, "inbox_waiting"},
		{claimParked, "inbox_parked"},
		{countParked, "inbox_parked"},
		{oldestParked, "inbox_parked"},
		{endedLeases, "inbox_leased"},
		{leasesOf, "inbox_leased"},
		{endLeases, "inbox_leased"},
		{dueEntries, "inbox_delayed"},
		{nextDue, "inbox_delayed"},
		{oldestWaiting, "inbox_waiting"},
		{eldestDead, "PRIMARY KEY (queue=?)"},
		{lookupEntries, "inbox_id"},
		{askToCancel, "inbox_id"},
		{forgetDead, "PRIMARY KEY"},
		{inboxKeys.find, "PRIMARY KEY"},
		{inboxKeys.expire, "inbox_keys_expiry"},
		{storeKeys.find, "PRIMARY KEY"},
		{storeKeys.expire, "idempotency_keys_expiry"},
		{findKey, "PRIMARY KEY"},
		{readKeys, "PRIMARY KEY"},
		{lookupFences, "sqlite_autoindex_jobs_1"},
		{getJobs, "sqlite_autoindex_jobs_1"},
		{liveJobs, "jobs_live"},
		{waitingJobs, "jobs_live"},
		{readHistory, "PRIMARY KEY"},
		{deleteJobs, "sqlite_autoindex_jobs_1"},
		{deleteEvents, "PRIMARY KEY"},
		{weighLines, "PRIMARY KEY"},
		{deleteLines, "PRIMARY KEY"},
		{newestEnd, "PRIMARY KEY"},
		{oldestEnd, "PRIMARY KEY"},
		{firstKept, "PRIMARY KEY"},
		{dropLines, "PRIMARY KEY"},
		{linesFrom, "PRIMARY KEY"},
		{newestLines, "PRIMARY KEY"},
		{endedBefore, "jobs_finished"},
		{list(persistence.Query{}), "sqlite_autoindex_jobs_1"},
		{list(persistence.Query{Before: job.ID{1}, Kind: "k", Texts: []string{"x"}, Payload: []persistence.PayloadMatch{{Path: "a.b", Text: "x"}}}), "sqlite_autoindex_jobs_1"},
		{list(persistence.Query{Statuses: []job.Status{job.Failed}, Queue: "q"}), "jobs_dead"},
		{list(persistence.Query{Statuses: []job.Status{job.Queued, job.Processing}}), "jobs_live"},
		{list(persistence.Query{Owner: "o", Before: job.ID{1}}), "jobs_owner"},
		{list(persistence.Query{Batch: "b"}), "jobs_batch"},
		{list(persistence.Query{Group: "g"}), "jobs_group"},
		{list(persistence.Query{Fingerprint: "f"}), "jobs_fingerprint"},
		{list(persistence.Query{Tag: "t", Before: job.ID{1}}), "PRIMARY KEY"},
		{list(persistence.Query{Batch: "b", Group: "g", Owner: "o", Statuses: []job.Status{job.Failed}}), "jobs_batch"},
		{list(persistence.Query{Tag: "t", Owner: "o", Statuses: []job.Status{job.Queued}}), "PRIMARY KEY"},
		{list(persistence.Query{IDs: []job.ID{{1}}}), "sqlite_autoindex_jobs_1"},
		{edge(persistence.Query{Kind: "k"}), "COVERING INDEX sqlite_autoindex_jobs_1"},
		{edge(persistence.Query{Statuses: []job.Status{job.Failed}}), "jobs_dead"},
		{edge(persistence.Query{Statuses: []job.Status{job.Queued}}), "jobs_live"},
		{edge(persistence.Query{Owner: "o"}), "COVERING INDEX jobs_owner"},
		{edge(persistence.Query{Tag: "t"}), "PRIMARY KEY"},
	} {
		plan := planOf(t, db, c.query)
		if !strings.Contains(plan, c.index) {
			t.Errorf("%s does not use %s:\n%s", c.query.name, c.index, plan)
		}
		for line := range strings.SplitSeq(plan, "\n") {
			sorts := strings.Contains(line, "TEMP B-TREE FOR ORDER BY") && c.query != getJobs && c.query != waitingJobs && c.query != leasesOf
			scans := strings.HasPrefix(line, "SCAN ") && !strings.Contains(line, "INDEX") && !strings.Contains(line, "VIRTUAL TABLE") &&
				!strings.Contains(line, "priorities") && !strings.Contains(line, "(subquery") && !strings.Contains(line, "ids") && !strings.Contains(line, "CONSTANT")
			if sorts || scans {
				t.Errorf("%s: %s:\n%s", c.query.name, line, plan)
			}
		}
	}
}

func planOf(t *testing.T, db *DB, q *query) string {
	t.Helper()
	var lines []string
	err := db.readers.use(t.Context(), "explain", func(c *connection) error {
		explained := inline("explain "+q.name, "EXPLAIN QUERY PLAN "+q.text)
		return c.once(t.Context(), explained, make([]any, strings.Count(q.text, "?")), func(r row) error {
			lines = append(lines, r.text(3))
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}
