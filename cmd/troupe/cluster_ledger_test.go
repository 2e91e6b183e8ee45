//go:build unix

package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	goredis "github.com/redis/go-redis/v9"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// verdict is what the ledger has found. All but the first two lines must be zero.
type verdict struct {
	jobs, reruns int // accepted; claims beyond the first, each explained by a fault
	overlaps     int // times that two runs of one job were under way at once, each explained by a fault
	crashes      int // counted by the system
	lapsed       int // claims whose lease ran out though nothing was done to the node: the machine was too slow to renew it

	lost, overwritten, spent, unexplained int
	problems                              []string // the first of them, in words
}

func (v *verdict) broken() bool {
	return v.lost+v.overwritten+v.spent+v.unexplained > 0 || len(v.problems) > 0 || v.lapsed > max(3, v.jobs/500)
}

// maxProblems bounds how many are told.
const maxProblems = 20

func (v *verdict) problem(count *int, format string, args ...any) {
	*count++
	if len(v.problems) < maxProblems {
		v.problems = append(v.problems, fmt.Sprintf(format, args...))
	}
}

// rowOfJob is a job's row.
type rowOfJob struct {
	status                  job.Status
	rev                     int64
	life, attempts, crashes int
}

// lineOfHistory is a transition. Its token is what its rev says.
type lineOfHistory struct {
	rev           int64
	at            time.Time
	event, status string
	life          int
	node          string
}

func (l lineOfHistory) token() int64 { return l.rev / job.RevsPerToken }

func (l lineOfHistory) terminal() bool {
	s, err := job.ParseStatus(l.status)
	return err == nil && s.Terminal()
}

// quiesce waits until every accepted job has ended and every stream has shown its end.
func (c *cluster) quiesce() {
	c.t.Helper()
	db, err := pgx.Connect(c.ctx, c.database.URL)
	if err != nil {
		c.t.Fatal(err)
	}
	defer db.Close(c.ctx)
	var live int
	if err := c.poll("the end of all jobs", func() bool {
		live = -1
		err := db.QueryRow(c.ctx, `SELECT count(*) FROM jobs WHERE finished_at IS NULL`).Scan(&live)
		return err == nil && live == 0
	}); err != nil {
		c.t.Errorf("%v: %d have not ended", err, live)
	}
	readers := map[string][]*streamReader{}
	for _, s := range c.streams {
		readers[s.owner] = append(readers[s.owner], s)
	}
	unseen := 0
	if err := c.poll("the streams to show every end", func() bool {
		unseen = 0
		for _, o := range c.orders.all() {
			for _, s := range readers[o.owner] {
				if !s.sawEnd(o.id) {
					unseen++
				}
			}
		}
		return unseen == 0
	}); err != nil {
		c.t.Errorf("%v: %d were not shown", err, unseen)
	}
}

// audit compares what clients were told, what handlers did, what the database has, what Redis still holds and what streams have shown.
// The comments name the promises, as they are numbered in the ledger's design: 1 no accepted job is lost, 2 one terminal state, 3 the
// fence, 4 attempts, 7 nothing invented, 8 runs overlap only where a lease was lost, 9 order on streams, 15 nothing is left behind.
func (c *cluster) audit() *verdict {
	c.t.Helper()
	v := &verdict{}
	rows, histories, err := c.readStore()
	if err != nil {
		c.t.Fatal(err)
	}
	orders := map[job.ID]order{}
	for _, o := range c.orders.all() {
		orders[o.id] = o
		if r, ok := rows[o.id]; !ok || !r.status.Terminal() { // 1
			v.problem(&v.lost, "job %s was accepted and is %v", o.id, r)
		}
	}
	for id := range rows {
		if _, ok := orders[id]; !ok && len(c.orders.unknown) == 0 { // 7
			v.problem(&v.unexplained, "job %s was accepted by nobody's account", id)
		}
	}
	v.jobs = len(orders)
	for id, r := range rows {
		v.auditHistory(id, r, histories[id], c)
		v.auditRuns(id, r, histories[id], c)
	}
	for _, s := range c.streams {
		v.auditStream(s, rows)
	}
	c.auditRedis(v)
	if c.journal.bad != "" {
		v.problem(&v.unexplained, "what handlers told: %s", c.journal.bad)
	}
	return v
}

// auditHistory looks at a job's history: 2, 3 and 4.
func (v *verdict) auditHistory(id job.ID, r rowOfJob, lines []lineOfHistory, c *cluster) {
	if r.status != job.Completed || r.attempts != 0 { // every job of the rig succeeds when it is let run
		v.problem(&v.spent, "job %s is %s with %d attempts spent:\n%s", id, r.status, r.attempts, tell(lines))
	}
	v.crashes += r.crashes
	ends, claims := 0, []lineOfHistory{}
	for i, l := range lines {
		if l.terminal() {
			if ends++; ends > 1 || i != len(lines)-1 {
				v.problem(&v.overwritten, "job %s: something follows its end:\n%s", id, tell(lines))
			}
		}
		if l.event == "Claimed" {
			claims = append(claims, l)
		}
		if i > 0 && (l.rev <= lines[i-1].rev || l.event == "Claimed" && l.token() <= lines[i-1].token()) {
			v.problem(&v.unexplained, "job %s: rev %d after %d:\n%s", id, l.rev, lines[i-1].rev, tell(lines))
		}
	}
	if len(lines) == 0 || ends != 1 || lines[len(lines)-1].status != r.status.String() {
		v.problem(&v.unexplained, "job %s is %s, and its history says:\n%s", id, r.status, tell(lines))
	}
	for i := 1; i < len(claims); i++ {
		v.reruns++
		if c.faulty(claims[i-1].node, claims[i].at) {
			continue
		}
		if c.journal.lostLease(id, claims[i-1].token()) {
			v.lapsed++
		} else {
			v.problem(&v.unexplained, "job %s was claimed again though nothing befell %s:\n%s", id, claims[i-1].node, tell(lines))
		}
	}
}

// faulty says whether anything was done to a node before a time.
func (c *cluster) faulty(node string, before time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(c.faults, func(f *faultRecord) bool { return f.node == node && f.from.Before(before) })
}

// auditRuns compares the history with what the handlers told: 7 and 8.
func (v *verdict) auditRuns(id job.ID, r rowOfJob, lines []lineOfHistory, c *cluster) {
	runs := c.journal.of(id)
	if len(lines) > 0 && r.status == job.Completed {
		last := lines[len(lines)-1]
		if !slices.ContainsFunc(runs, func(run handlerRun) bool {
			return run.token == last.token() && !run.end.IsZero() && run.err == ""
		}) {
			v.problem(&v.unexplained, "job %s is completed under token %d, and no handler says so: %+v", id, last.token(), runs)
		}
	}
	for i, a := range runs {
		if !slices.ContainsFunc(lines, func(l lineOfHistory) bool { return l.event == "Claimed" && l.token() == a.token }) && (a.err == "" && !a.end.IsZero()) && i == len(runs)-1 {
			v.problem(&v.unexplained, "job %s ran under token %d, of which its history says nothing:\n%s", id, a.token, tell(lines))
		}
		for _, b := range runs[i+1:] {
			first, second := a, b
			if b.token < a.token {
				first, second = b, a
			}
			if first.token == second.token {
				v.problem(&v.unexplained, "job %s ran twice under token %d", id, first.token)
				continue
			}
			if c.stillRan(first, second.start) {
				if v.overlaps++; !c.faulty(first.node, second.start) && !c.journal.lostLease(id, first.token) {
					v.problem(&v.unexplained, "job %s ran twice at once though nothing befell %s: %+v", id, first.node, runs)
				}
			}
		}
	}
}

// stillRan says whether a run was under way at a time: a killed process runs nothing.
func (c *cluster) stillRan(r handlerRun, at time.Time) bool {
	if !r.start.Before(at) {
		return false
	}
	if !r.end.IsZero() {
		return r.end.After(at)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return !slices.ContainsFunc(c.faults, func(f *faultRecord) bool {
		return f.node == r.node && (f.kind == faultKill || f.kind == faultTerm)
	})
}

// auditStream looks at what a client was shown: 9.
func (v *verdict) auditStream(s *streamReader, rows map[job.ID]rowOfJob) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, wrong := range s.wrong {
		v.problem(&v.unexplained, "stream of %s: %s", s.owner, wrong)
	}
	for id, seen := range s.seen {
		r, ok := rows[id]
		if !ok || seen.rev > r.rev || seen.status.Terminal() && (seen.status != r.status || seen.rev != r.rev) {
			v.problem(&v.unexplained, "stream of %s: job %s was shown %s at rev %d, and is %s at rev %d", s.owner, id, seen.status, seen.rev, r.status, r.rev)
		}
	}
}

// leftAlone begin the keys of Redis that outlive the jobs and have no time to live.
var leftAlone = []string{"generation", "ghosts:"}

// ofNodes is in the names of the keys that the list of nodes has.
const ofNodes = ":{nodes}"

// auditRedis looks for what jobs have left behind: 15.
func (c *cluster) auditRedis(v *verdict) {
	options, err := goredis.ParseURL(c.redis.URL)
	if err != nil {
		c.t.Fatal(err)
	}
	client := goredis.NewClient(options)
	defer client.Close()
	left := func() (left []string) {
		walk := client.Scan(c.ctx, 0, "*", 1000).Iterator()
		for walk.Next(c.ctx) {
			key := walk.Val()
			if strings.Contains(key, ofNodes) || slices.ContainsFunc(leftAlone, func(p string) bool { return strings.HasPrefix(key, p) }) {
				continue
			}
			if ttl, err := client.TTL(c.ctx, key).Result(); err != nil || ttl == -1 {
				left = append(left, key)
			}
		}
		return left
	}
	if c.poll("Redis to hold no job", func() bool { return len(left()) == 0 }) != nil {
		v.problem(&v.unexplained, "Redis still holds %v", left())
	}
}

func tell(lines []lineOfHistory) string {
	var b strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&b, "  %s %d.%d %s %s %s\n", l.at.Format("15:04:05.000"), l.token(), l.rev%job.RevsPerToken, l.event, l.status, l.node)
	}
	return b.String()
}

// readStore reads all rows and all histories.
func (c *cluster) readStore() (map[job.ID]rowOfJob, map[job.ID][]lineOfHistory, error) {
	db, err := pgx.Connect(c.ctx, c.database.URL)
	if err != nil {
		return nil, nil, err
	}
	defer db.Close(c.ctx)
	rows, histories := map[job.ID]rowOfJob{}, map[job.ID][]lineOfHistory{}
	found, err := db.Query(c.ctx, `SELECT id::text, job_status(status), rev, life, attempts, crashes FROM jobs`)
	if err != nil {
		return nil, nil, err
	}
	var text, status string
	var r rowOfJob
	if _, err := pgx.ForEachRow(found, []any{&text, &status, &r.rev, &r.life, &r.attempts, &r.crashes}, func() error {
		id, err := job.ParseID(text)
		if err == nil {
			r.status, err = job.ParseStatus(status)
		}
		rows[id] = r
		return err
	}); err != nil {
		return nil, nil, err
	}
	found, err = db.Query(c.ctx, `SELECT job_id::text, rev, at, event, status, life, coalesce(node, '') FROM job_history ORDER BY job_id, rev`)
	if err != nil {
		return nil, nil, err
	}
	var l lineOfHistory
	_, err = pgx.ForEachRow(found, []any{&text, &l.rev, &l.at, &l.event, &l.status, &l.life, &l.node}, func() error {
		id, err := job.ParseID(text)
		histories[id] = append(histories[id], l)
		return err
	})
	return rows, histories, err
}
