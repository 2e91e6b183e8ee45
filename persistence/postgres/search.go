package postgres

import (
	"context"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// reading runs a statement and decodes its rows.
type reading func(ctx context.Context, sql string, params [][]byte) ([]job.Job, error)

// searching is the bounded search for a query; nil if one statement does, because it needs none or an index serves all of it.
func (s *Store) searching(ctx context.Context, q *persistence.Query, text string, read reading) (*persistence.Search[anchor], error) {
	scans := q.Kind != "" || q.Queue != "" || q.Tag != "" || len(q.Texts) > 0 || len(q.Errors) > 0 || len(q.Payload) > 0 ||
		!q.From.IsZero() || !q.To.IsZero() || len(q.Statuses) > 0 || len(anchors(q)) > 1
	if !q.Bounded || !scans || len(q.IDs) > 0 {
		return nil, nil
	}
	if q.Tag != "" {
		if rare, err := s.rare(ctx, q.Tag); err != nil || rare {
			return nil, err
		}
	}
	return s.search(q, text, read), nil
}

func (s *Store) search(q *persistence.Query, text string, read reading) *persistence.Search[anchor] {
	lowest, _ := q.Range()
	search := &persistence.Search[anchor]{
		Anchors: anchors(q),
		Edge: func(ctx context.Context, along anchor, below job.ID, n int) (edge job.ID, err error) {
			w := &where{}
			w.ids(lowest, below)
			along.add(w)
			sql, params := w.statement(edgeSQL, n-1)
			err = s.selectRows(ctx, "search jobs", sql, params, func() { edge = job.ID{} }, func(row [][]byte) error {
				edge = job.ID(row[0])
				return nil
			})
			return edge, err
		},
		Part: func(ctx context.Context, along anchor, edge, below job.ID, limit int) ([]job.Job, error) {
			if edge.IsZero() {
				edge = lowest
			}
			sql, params := selection(q, along, edge, below).statement(text, limit)
			return read(ctx, sql, params)
		},
	}
	if len(search.Anchors) == 0 {
		search.Anchors = []anchor{{}}
	}
	return search
}

// rare says whether no more jobs have the tag than one step of a search looks at. The index of tags finds those at once, but in no order:
// of a tag that many have, the newest are found by going through all jobs.
func (s *Store) rare(ctx context.Context, tag string) (bool, error) {
	n := 0
	w := &where{}
	w.match("tags IS NOT NULL AND tags @> ARRAY[%s::text]", []byte(tag))
	sql, params := w.statement("SELECT FROM jobs WHERE %s LIMIT $%d::bigint", persistence.SearchStep+1)
	err := s.selectRows(ctx, "look for a tag", sql, params, func() { n = 0 }, func([][]byte) error { n++; return nil })
	return n <= persistence.SearchStep, err
}
