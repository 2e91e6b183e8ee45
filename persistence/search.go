package persistence

import (
	"context"
	"slices"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// Bounds of a search: how many jobs it looks at, how many of them in one step, and for how long it begins new steps.
const (
	SearchSpan = 20_000
	SearchStep = 2_000
	SearchTime = 60 * time.Millisecond
)

// Search is a bounded query as a driver carries it out: along one of its indexes that go by id, newest first, a step at a time. An
// Anchor is such an index, with the condition of the query that it serves.
//
// A condition that no index serves may match nothing among millions of jobs. Cut into steps, the search for it costs a request no more than
// its bounds, and the next request goes on where it ended.
type Search[Anchor any] struct {
	// Anchors are those that serve the query; at least one.
	Anchors []Anchor
	// Edge is the id of the n-th job below an id along the anchor; zero if there are fewer in the query's range.
	Edge func(ctx context.Context, along Anchor, below job.ID, n int) (job.ID, error)
	// Part reads up to limit jobs along the anchor that match the query, lowest <= id < below, newest first.
	Part func(ctx context.Context, along Anchor, lowest, below job.ID, limit int) ([]job.Job, error)
}

// Page finds up to limit jobs below the id; zero is no bound.
func (s Search[Anchor]) Page(ctx context.Context, below job.ID, limit int) (Page, error) {
	begun := time.Now()
	along, err := s.anchor(ctx, below)
	if err != nil {
		return Page{}, err
	}
	var page Page
	for looked := SearchStep; ; looked += SearchStep {
		edge, err := s.Edge(ctx, along, below, SearchStep)
		if err != nil {
			return Page{}, err
		}
		found, err := s.Part(ctx, along, edge, below, limit+1-len(page.Jobs))
		if err != nil {
			return Page{}, err
		}
		page.Jobs = append(page.Jobs, found...)
		switch n := len(page.Jobs); {
		case n > limit, n == limit && !edge.IsZero():
			page.Jobs = page.Jobs[:limit]
			page.Next = page.Jobs[limit-1].ID
			return page, nil
		case edge.IsZero():
			return page, nil
		case looked >= SearchSpan, time.Since(begun) >= SearchTime:
			page.Next, page.Cut = edge, true
			return page, nil
		}
		below = edge
	}
}

// anchor is the one along which the search comes furthest.
func (s Search[Anchor]) anchor(ctx context.Context, below job.ID) (Anchor, error) {
	best, reached := s.Anchors[0], job.ID{}
	if len(s.Anchors) == 1 {
		return best, nil
	}
	for i, along := range s.Anchors {
		edge, err := s.Edge(ctx, along, below, SearchSpan)
		if err != nil {
			return best, err
		}
		if edge.IsZero() {
			return along, nil
		}
		if i == 0 || edge.Compare(reached) < 0 {
			best, reached = along, edge
		}
	}
	return best, nil
}

// Split parts a query by status where different indexes serve: jobs that have not ended, and dead letters. One that needs no
// parting is returned as it is.
func (q *Query) Split() []Query {
	var live, dead []job.Status
	for _, s := range q.Statuses {
		switch {
		case !s.Terminal():
			live = append(live, s)
		case s == job.Failed:
			dead = []job.Status{s}
		default:
			return []Query{*q}
		}
	}
	if len(live) == 0 || len(dead) == 0 {
		return []Query{*q}
	}
	parts := []Query{*q, *q}
	parts[0].Statuses, parts[1].Statuses = live, dead
	return parts
}

// Merge makes one page of the pages of a query's parts.
func Merge(pages []Page, limit int) Page {
	if len(pages) == 1 {
		return pages[0]
	}
	var page Page
	for _, part := range pages {
		page.Jobs = append(page.Jobs, part.Jobs...)
		page.Omitted = append(page.Omitted, part.Omitted...)
		if part.Next.Compare(page.Next) > 0 { // below this, not every part is known
			page.Next, page.Cut = part.Next, part.Cut
		}
	}
	slices.SortFunc(page.Jobs, func(a, b job.Job) int { return b.ID.Compare(a.ID) })
	page.Jobs = slices.CompactFunc(page.Jobs, func(a, b job.Job) bool { return a.ID == b.ID }) // it changed between two parts
	known := len(page.Jobs)
	for known > 0 && page.Jobs[known-1].ID.Compare(page.Next) < 0 {
		known--
	}
	if page.Jobs = page.Jobs[:known]; known > limit {
		page.Jobs = page.Jobs[:limit]
		page.Next, page.Cut = page.Jobs[limit-1].ID, false
	}
	return page
}
