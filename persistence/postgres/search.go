package postgres

import (
	"context"
	"encoding/json"

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

// rare says whether few jobs have the tag: no more than one step of a search looks at. The index of tags finds those at once, but in
// no order and all of them; of a tag that many have, the newest are found by going through all jobs. The server's estimate
// costs nothing; to count them would cost more the more there are.
func (s *Store) rare(ctx context.Context, tag string) (bool, error) {
	var plans []struct {
		Plan struct {
			Rows float64 `json:"Plan Rows"`
		}
	}
	const estimate = "EXPLAIN (FORMAT JSON) SELECT FROM jobs WHERE tags @> ARRAY[$1::text]"
	err := s.selectRows(ctx, "estimate how many have a tag", estimate, [][]byte{[]byte(tag)}, func() { plans = nil }, func(row [][]byte) error {
		return json.Unmarshal(row[0], &plans)
	})
	return len(plans) == 0 || plans[0].Plan.Rows <= persistence.SearchStep, err
}
