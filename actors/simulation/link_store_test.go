package simulation

import (
	"context"
	"slices"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// linkedStore is a store as a node reaches it.
type linkedStore struct {
	*link
	persistence.Store // the server
}

func (s *linkedStore) Commit(ctx context.Context, writes []persistence.Write) ([]persistence.Outcome, error) {
	writes = slices.Clone(writes)
	return over(ctx, s.link, func(ctx context.Context) ([]persistence.Outcome, error) { return s.Store.Commit(ctx, writes) })
}

func (s *linkedStore) Accept(ctx context.Context, writes []persistence.Write) ([]persistence.Acceptance, error) {
	writes = slices.Clone(writes)
	return over(ctx, s.link, func(ctx context.Context) ([]persistence.Acceptance, error) { return s.Store.Accept(ctx, writes) })
}

func (s *linkedStore) Get(ctx context.Context, ids []job.ID) ([]persistence.Record, error) {
	ids = slices.Clone(ids)
	return over(ctx, s.link, func(ctx context.Context) ([]persistence.Record, error) { return s.Store.Get(ctx, ids) })
}

func (s *linkedStore) List(ctx context.Context, q persistence.Query) (persistence.Page, error) {
	return over(ctx, s.link, func(ctx context.Context) (persistence.Page, error) { return s.Store.List(ctx, q) })
}

func (s *linkedStore) Live(ctx context.Context, after job.ID, limit int) ([]persistence.Record, error) {
	return over(ctx, s.link, func(ctx context.Context) ([]persistence.Record, error) { return s.Store.Live(ctx, after, limit) })
}

func (s *linkedStore) Waiting(ctx context.Context, queue string, limit int) ([]job.ID, error) {
	return over(ctx, s.link, func(ctx context.Context) ([]job.ID, error) { return s.Store.Waiting(ctx, queue, limit) })
}

func (s *linkedStore) History(ctx context.Context, id job.ID) ([]job.Transition, error) {
	return over(ctx, s.link, func(ctx context.Context) ([]job.Transition, error) { return s.Store.History(ctx, id) })
}

func (s *linkedStore) RequestCancel(ctx context.Context, id job.ID, word job.Cancel) (persistence.Record, error) {
	return over(ctx, s.link, func(ctx context.Context) (persistence.Record, error) { return s.Store.RequestCancel(ctx, id, word) })
}

func (s *linkedStore) FindKey(ctx context.Context, scope, key string) (persistence.BoundKey, error) {
	return over(ctx, s.link, func(ctx context.Context) (persistence.BoundKey, error) { return s.Store.FindKey(ctx, scope, key) })
}

func (s *linkedStore) Keys(ctx context.Context, after persistence.BoundKey, limit int) ([]persistence.BoundKey, error) {
	return over(ctx, s.link, func(ctx context.Context) ([]persistence.BoundKey, error) { return s.Store.Keys(ctx, after, limit) })
}

func (s *linkedStore) Delete(ctx context.Context, ids []job.ID) ([]job.ID, error) {
	ids = slices.Clone(ids)
	return over(ctx, s.link, func(ctx context.Context) ([]job.ID, error) { return s.Store.Delete(ctx, ids) })
}

func (s *linkedStore) Prune(ctx context.Context, before time.Time, limit int) ([]job.ID, error) {
	return over(ctx, s.link, func(ctx context.Context) ([]job.ID, error) { return s.Store.Prune(ctx, before, limit) })
}

func (s *linkedStore) Queues(ctx context.Context) ([]persistence.QueueSettings, error) {
	return over(ctx, s.link, s.Store.Queues)
}

func (s *linkedStore) SaveQueue(ctx context.Context, q persistence.QueueSettings) error {
	return does(ctx, s.link, func(ctx context.Context) error { return s.Store.SaveQueue(ctx, q) })
}

func (s *linkedStore) Incarnation(ctx context.Context) (int64, error) {
	return over(ctx, s.link, s.Store.Incarnation)
}

func (s *linkedStore) AppendLines(ctx context.Context, appends []persistence.Append) ([]persistence.Appended, error) {
	appends = slices.Clone(appends)
	return over(ctx, s.link, func(ctx context.Context) ([]persistence.Appended, error) { return s.Store.AppendLines(ctx, appends) })
}

func (s *linkedStore) ReadLines(ctx context.Context, q persistence.LineQuery) (persistence.LinePage, error) {
	return over(ctx, s.link, func(ctx context.Context) (persistence.LinePage, error) { return s.Store.ReadLines(ctx, q) })
}

func (s *linkedStore) Ping(ctx context.Context) error { return does(ctx, s.link, s.Store.Ping) }
