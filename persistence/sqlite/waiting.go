package sqlite

import (
	"context"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

var waitingJobs = load("waiting_jobs")

// Waiting implements persistence.Store.
func (s store) Waiting(ctx context.Context, queue string, limit int) ([]job.ID, error) {
	var ids []job.ID
	args := []any{queue, time.Now().UnixMicro(), persistence.WaitingSpan, min(max(limit, 0), persistence.MaxWaiting)}
	err := s.readers.read(ctx, "read what waits", waitingJobs, args, func(r row) error { ids = append(ids, r.id(0)); return nil })
	if err != nil {
		return nil, err
	}
	return ids, nil
}
