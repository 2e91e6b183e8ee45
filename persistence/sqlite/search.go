package sqlite

import (
	"context"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// reading reads the jobs that a query selects along an anchor, lowest <= id < below, newest first.
type reading func(ctx context.Context, q *persistence.Query, along anchor, lowest, below job.ID, limit int) ([]job.Job, error)

func (s store) reading(doing, columns string, decode func(row) (job.Job, error)) reading {
	return func(ctx context.Context, q *persistence.Query, along anchor, lowest, below job.ID, limit int) (jobs []job.Job, err error) {
		text, args := selection(columns, q, along, lowest, below, limit)
		err = s.readers.use(ctx, doing, func(c *connection) error {
			return c.once(ctx, inline(doing, text), args, func(r row) error {
				j, err := decode(r)
				jobs = append(jobs, j)
				return err
			})
		})
		return jobs, err
	}
}

// searches says whether a query is to be searched for in steps: it is bounded, and no index serves all of it.
func searches(q *persistence.Query) bool {
	return q.Bounded && len(q.IDs) == 0 && (q.Kind != "" || q.Queue != "" || len(q.Texts) > 0 || len(q.Errors) > 0 || len(q.Payload) > 0 ||
		!q.From.IsZero() || !q.To.IsZero() || len(q.Statuses) > 0 || len(anchors(q)) > 1)
}

func (s store) search(q *persistence.Query, read reading) persistence.Search[anchor] {
	lowest, _ := q.Range()
	search := persistence.Search[anchor]{
		Anchors: anchors(q),
		Edge: func(ctx context.Context, along anchor, below job.ID, n int) (edge job.ID, err error) {
			text, args := edgeOf(along, lowest, below, n)
			err = s.readers.use(ctx, "search jobs", func(c *connection) error {
				return c.once(ctx, inline("search jobs", text), args, func(r row) error { edge = r.id(0); return nil })
			})
			return edge, err
		},
		Part: func(ctx context.Context, along anchor, edge, below job.ID, limit int) ([]job.Job, error) {
			if edge.IsZero() {
				edge = lowest
			}
			return read(ctx, q, along, edge, below, limit)
		},
	}
	if len(search.Anchors) == 0 {
		search.Anchors = []anchor{{}}
	}
	return search
}
