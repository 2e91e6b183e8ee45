package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// List implements persistence.Store. A filter that no index serves (kind, queue, text) reads rows from the newest on
// until the page is full; the session's statement_timeout bounds it.
func (s *Store) List(ctx context.Context, query persistence.Query) (persistence.Page, error) {
	limit := query.Limit
	if limit <= 0 {
		limit = persistence.DefaultPage
	}
	limit = min(limit, persistence.MaxPage)
	sql, params := listing(query, limit+1) // one more, to know whether there is a next page
	var page persistence.Page
	err := s.do(ctx, "list jobs", func(ctx context.Context, c conn) error {
		page = persistence.Page{}
		// Never prepared: which index serves depends on the values.
		return drain(c.PgConn().ExecParams(ctx, sql, params, nil, inBinary, inBinary), func(row [][]byte) error {
			r, err := s.decodeRecord(row)
			page.Jobs = append(page.Jobs, r.Job)
			return err
		})
	})
	if err != nil {
		return persistence.Page{}, err
	}
	if len(page.Jobs) > limit {
		page.Jobs = page.Jobs[:limit]
		page.Next = page.Jobs[limit-1].ID
	}
	return page, nil
}

// listing is list.sql with the conditions of a query.
func listing(q persistence.Query, limit int) (sql string, params [][]byte) {
	var where []string
	// match adds a condition on a parameter, which stands in it as %s.
	match := func(condition string, value []byte) {
		params = append(params, value)
		where = append(where, fmt.Sprintf(condition, fmt.Sprintf("$%d", len(params))))
	}
	if !q.Before.IsZero() {
		match("id < %s::uuid", q.Before[:])
	}
	if len(q.Statuses) > 0 {
		match("status = ANY (%s::smallint[])", statuses(q.Statuses))
		// What the indexes are made for must be said in their words.
		if !slices.ContainsFunc(q.Statuses, job.Status.Terminal) {
			where = append(where, "finished_at IS NULL")
		} else if !slices.ContainsFunc(q.Statuses, func(s job.Status) bool { return s != job.Failed }) {
			where = append(where, "dead")
		}
	}
	for _, field := range []struct{ value, condition string }{
		{q.Kind, "kind = %s::text"},
		{q.Queue, "queue = %s::text"},
		{q.Owner, "owner = %s::text AND owner <> ''"},
		{q.Group, "group_name = %s::text AND group_name <> ''"},
		{q.Batch, "batch = %s::text AND batch <> ''"},
		{q.Fingerprint, "fingerprint = %s::text AND fingerprint <> ''"},
		{q.Tag, "tags IS NOT NULL AND tags @> ARRAY[%s::text]"},
	} {
		if field.value != "" {
			match(field.condition, []byte(field.value))
		}
	}
	if q.Text != "" {
		match("(kind ILIKE %[1]s::text OR payload::text ILIKE %[1]s::text OR job_text(failure, 'message') ILIKE %[1]s::text)",
			[]byte("%"+likeLiteral.Replace(q.Text)+"%"))
	}
	if !q.From.IsZero() {
		match("created_at >= %s::timestamptz", timeParam(q.From))
	}
	if !q.To.IsZero() {
		match("created_at < %s::timestamptz", timeParam(q.To))
	}
	if len(where) == 0 {
		where = append(where, "true")
	}
	params = append(params, int8Param(int64(limit)))
	return fmt.Sprintf(listSQL, strings.Join(where, " AND "), len(params)), params
}

var listSQL = load("list").sql

var likeLiteral = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

func statuses(list []job.Status) []byte {
	var a arrays
	a.open(oidInt2, len(list))
	for _, s := range list {
		a.int2(int(s))
	}
	return a.params()[0]
}
