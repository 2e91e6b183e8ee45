package sqlite

import (
	"context"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// List implements persistence.Store. Text is matched in any case of ASCII letters.
func (s store) List(ctx context.Context, query persistence.Query) (persistence.Page, error) {
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

func (s store) listPart(ctx context.Context, q *persistence.Query) (page persistence.Page, err error) {
	var omitted []job.ID
	columns := summaryColumns
	if q.Payloads {
		columns += payloadColumns
	}
	read := s.reading("list jobs", columns, func(r row) (job.Job, error) {
		record, err := r.summary()
		if q.Payloads {
			if record.Job.Payload = r.document(30); r.int(31) > 0 {
				omitted = append(omitted, record.Job.ID)
			}
		}
		return record.Job, err
	})
	lowest, below := q.Range()
	if searches(q) {
		page, err = s.search(q, read).Page(ctx, below, q.Size())
	} else {
		along := anchor{}
		if all := anchors(q); len(all) > 0 {
			along = all[0]
		}
		page.Jobs, err = read(ctx, q, along, lowest, below, q.Size()+1)
		if len(page.Jobs) > q.Size() {
			page.Jobs = page.Jobs[:q.Size()]
			page.Next = page.Jobs[q.Size()-1].ID
		}
	}
	page.Omitted = omitted
	return page, err
}

// DeadGroups implements persistence.Store.
func (s store) DeadGroups(ctx context.Context, q persistence.Query) (persistence.Groups, error) {
	q.Statuses, q.Before, q.Bounded = []job.Status{job.Failed}, job.ID{}, true
	read := s.reading("group dead letters", "id, kind, queue, fingerprint, finished_at", func(r row) (job.Job, error) {
		return job.Job{
			ID: r.id(0), Kind: r.text(1), Queue: r.text(2), Failure: &job.Failure{Fingerprint: r.text(3)}, Finished: r.time(4),
		}, nil
	})
	_, below := q.Range()
	page, err := s.search(&q, read).Page(ctx, below, persistence.SearchSpan)
	if err != nil {
		return persistence.Groups{}, err
	}
	return persistence.GroupDead(page, func(q persistence.Query) (persistence.Page, error) { return s.List(ctx, q) })
}
