package reference

import (
	"context"
	"slices"
	"strings"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// List implements persistence.Store.
func (s *Store) List(ctx context.Context, q persistence.Query) (persistence.Page, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return persistence.Page{}, err
	}
	defer unlock()
	var page persistence.Page
	for _, id := range slices.Backward(s.order) {
		j := s.rows[id].Job
		if !s.matches(&q, &j) || !q.Before.IsZero() && id.Compare(q.Before) >= 0 {
			continue
		}
		if len(page.Jobs) == q.Size() {
			page.Next = page.Jobs[q.Size()-1].ID
			break
		}
		switch {
		case !q.Payloads:
			j.Payload = nil
		case len(j.Payload) > persistence.MaxListedPayload && s.fault != "large payloads are listed":
			j.Payload = nil
			page.Omitted = append(page.Omitted, id)
		}
		j.Result, j.Checkpoint = nil, nil
		page.Jobs = append(page.Jobs, j)
	}
	if s.fault == "last page has a next" && len(page.Jobs) == q.Size() {
		page.Next = page.Jobs[q.Size()-1].ID
	}
	return page, nil
}

// DeadGroups implements persistence.Store.
func (s *Store) DeadGroups(ctx context.Context, q persistence.Query) (persistence.Groups, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return persistence.Groups{}, err
	}
	defer unlock()
	q.Statuses = []job.Status{job.Failed}
	if s.fault == "groups of all that ended" {
		q.Statuses = append(q.Statuses, job.Completed)
	}
	var page persistence.Page
	for _, id := range slices.Backward(s.order) {
		if j := s.rows[id].Job; s.matches(&q, &j) {
			page.Jobs = append(page.Jobs, j)
		}
	}
	return persistence.GroupDead(page, func(persistence.Query) (persistence.Page, error) { return page, nil })
}

// matches says whether a query selects a job, apart from its cursor.
func (s *Store) matches(q *persistence.Query, j *job.Job) bool {
	equal := func(want, have string) bool { return want == "" || want == have }
	f := job.Failure{}
	if j.Failure != nil {
		f = *j.Failure
	}
	within := func(texts []string, where ...string) bool {
		all := strings.ToLower(strings.Join(where, "\x00"))
		return !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(all, strings.ToLower(text)) })
	}
	return (len(q.Statuses) == 0 || slices.Contains(q.Statuses, j.Status)) && (len(q.IDs) == 0 || slices.Contains(q.IDs, j.ID)) &&
		equal(q.Kind, j.Kind) && equal(q.Queue, j.Queue) && equal(q.Owner, j.Owner) && equal(q.Group, j.Group) && equal(q.Batch, j.Batch) &&
		equal(q.Fingerprint, f.Fingerprint) && (q.Tag == "" || slices.Contains(j.Tags, q.Tag)) &&
		within(q.Texts, j.Kind, f.Message, string(j.Payload)) && within(q.Errors, f.Code, f.Message) && s.holds(q.Payload, j.Payload) &&
		(q.From.IsZero() || !j.Created.Before(q.From)) && (q.To.IsZero() || j.Created.Before(q.To)) &&
		j.ID.Compare(q.Lowest) >= 0 && (q.Highest.IsZero() || j.ID.Compare(q.Highest) <= 0)
}

func (s *Store) holds(all []persistence.PayloadMatch, payload []byte) bool {
	return !slices.ContainsFunc(all, func(m persistence.PayloadMatch) bool {
		if s.fault == "payloads are matched as text" {
			return !strings.Contains(string(payload), `"`+m.Text+`"`)
		}
		return !m.Holds(payload)
	})
}
