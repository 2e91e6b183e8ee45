package postgres

import (
	"context"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// List implements persistence.Store. In a query that is not bounded, a filter that no index serves reads rows from the newest on until
// the page is full; the session's statement_timeout bounds it.
func (s *Store) List(ctx context.Context, query persistence.Query) (persistence.Page, error) {
	var pages []persistence.Page
	for _, part := range query.Split() {
		page, err := s.listPart(ctx, &part)
		if err != nil {
			return persistence.Page{}, err
		}
		pages = append(pages, page)
	}
	return persistence.Merge(pages, query.Size()), nil
}

func (s *Store) listPart(ctx context.Context, q *persistence.Query) (page persistence.Page, err error) {
	var omitted []job.ID
	read := func(ctx context.Context, sql string, params [][]byte) (jobs []job.Job, err error) {
		known := len(omitted)
		err = s.selectRows(ctx, "list jobs", sql, params, func() { jobs, omitted = nil, omitted[:known] }, func(row [][]byte) error {
			r, err := s.decodeRecord(row)
			if q.Payloads && r.Job.Payload == nil && row[28] != nil {
				omitted = append(omitted, r.Job.ID)
			}
			jobs = append(jobs, r.Job)
			return err
		})
		return jobs, err
	}
	search, err := s.searching(ctx, q, listSQL(q), read)
	if err != nil {
		return page, err
	}
	lowest, below := q.Range()
	if search != nil {
		page, err = search.Page(ctx, below, q.Size())
	} else {
		sql, params := selection(q, anchor{}, lowest, below).statement(listSQL(q), q.Size()+1)
		if page.Jobs, err = read(ctx, sql, params); len(page.Jobs) > q.Size() {
			page.Jobs = page.Jobs[:q.Size()]
			page.Next = page.Jobs[q.Size()-1].ID
		}
	}
	page.Omitted = omitted
	return page, err
}

// selectRows runs a statement made for one use: it is never prepared, because which index serves depends on the values. Again is
// called before each attempt.
func (s *Store) selectRows(ctx context.Context, what, sql string, params [][]byte, again func(), each func(row [][]byte) error) error {
	return s.do(ctx, what, func(ctx context.Context, c conn) error {
		again()
		return drain(c.PgConn().ExecParams(ctx, sql, params, nil, inBinary, inBinary), each)
	})
}

// DeadGroups implements persistence.Store.
func (s *Store) DeadGroups(ctx context.Context, q persistence.Query) (persistence.Groups, error) {
	q.Statuses, q.Before, q.Bounded = []job.Status{job.Failed}, job.ID{}, true
	read := func(ctx context.Context, sql string, params [][]byte) (jobs []job.Job, err error) {
		err = s.selectRows(ctx, "group dead letters", sql, params, func() { jobs = nil }, func(row [][]byte) error {
			jobs = append(jobs, job.Job{
				ID: job.ID(row[0]), Kind: string(row[1]), Queue: string(row[2]), Failure: &job.Failure{Fingerprint: string(row[3])},
				Finished: timestamp(row[4]),
			})
			return nil
		})
		return jobs, err
	}
	_, below := q.Range()
	page, err := s.search(&q, deadSQL, read).Page(ctx, below, persistence.SearchSpan)
	if err != nil {
		return persistence.Groups{}, err
	}
	return persistence.GroupDead(page, func(q persistence.Query) (persistence.Page, error) { return s.List(ctx, q) })
}
