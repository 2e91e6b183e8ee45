package sqlite

import (
	"context"
	"fmt"
	"strings"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// List implements persistence.Store. Text is matched in any case of ASCII letters.
func (s store) List(ctx context.Context, q persistence.Query) (persistence.Page, error) {
	limit := q.Limit
	if limit <= 0 {
		limit = persistence.DefaultPage
	}
	limit = min(limit, persistence.MaxPage)
	var page persistence.Page
	text, args := selection(&q, limit+1)
	err := s.readers.use(ctx, "list jobs", func(c *connection) error {
		return c.once(ctx, inline("list jobs", text), args, func(r row) error {
			record, err := r.summary()
			page.Jobs = append(page.Jobs, record.Job)
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

// conditions collects terms of a WHERE and what they bind.
type conditions struct {
	terms []string
	args  []any
}

// add joins a term; each ? in it is one of args.
func (w *conditions) add(term string, args ...any) {
	w.terms = append(w.terms, term)
	w.args = append(w.args, args...)
}

// selection is the statement for a query. It is made for the fields that are given, so that each finds its index.
func selection(q *persistence.Query, limit int) (string, []any) {
	var w conditions
	from, order := "jobs", "jobs.id"
	if q.Tag != "" {
		from, order = "job_tags CROSS JOIN jobs ON jobs.id = job_tags.job", "job_tags.job"
		w.add("job_tags.tag = ?", q.Tag)
	}
	if !q.Before.IsZero() {
		w.add(order+" < ?", q.Before[:])
	}
	w.status(q.Statuses)
	for _, f := range []struct{ column, value string }{
		{"kind", q.Kind}, {"queue", q.Queue}, {"owner", q.Owner}, {"group_name", q.Group}, {"batch", q.Batch}, {"fingerprint", q.Fingerprint},
	} {
		if f.value != "" {
			w.add(f.column+" = ?", f.value)
		}
	}
	if !q.From.IsZero() {
		w.add("created_at >= ?", q.From.UnixMicro())
	}
	if !q.To.IsZero() {
		w.add("created_at < ?", q.To.UnixMicro())
	}
	if q.Text != "" {
		like := "%" + likeEscaper.Replace(q.Text) + "%"
		w.add(`(kind LIKE ? ESCAPE '\' OR json_extract(failure, '$.message') LIKE ? ESCAPE '\' OR payload LIKE ? ESCAPE '\')`, like, like, like)
	}
	where := ""
	if len(w.terms) > 0 {
		where = " WHERE " + strings.Join(w.terms, " AND ")
	}
	return fmt.Sprintf("SELECT %s FROM %s%s ORDER BY %s DESC LIMIT %d", summaryColumns, from, where, order, limit), w.args
}

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// status restricts to statuses. They stand in the text, as an index on some of them is found by the text; so they must be known ones.
func (w *conditions) status(statuses []job.Status) {
	if len(statuses) == 0 {
		return
	}
	live := true
	names := make([]string, 0, len(statuses))
	for _, s := range statuses {
		if s < job.Scheduled || s > job.Cancelled {
			continue
		}
		names = append(names, "'"+s.String()+"'")
		live = live && !s.Terminal()
	}
	switch {
	case len(names) == 1:
		w.add("status = " + names[0])
	default:
		w.add("status IN (" + strings.Join(names, ", ") + ")")
	}
	if live {
		w.add("finished_at IS NULL")
	}
}
