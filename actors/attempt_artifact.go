package actors

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// artifact stores a file under the attempt's token, once the store has the job under that token and on this node. A token is one node's
// from then on: no other attempt, not even one that a rolled-back inbox gave the same token, can have the same name and replace the
// content. An attempt that was overtaken writes nothing at all, or under a name that nobody will ask for.
func (at *attempt) artifact(ctx context.Context, name, mediaType string, content io.Reader, max int64) (job.Artifact, error) {
	if err := at.owns(ctx); err != nil {
		return job.Artifact{}, fmt.Errorf("store artifact %s: %w", name, err)
	}
	stored, err := at.app.config.Artifacts.Put(ctx, at.id, at.token, name, mediaType, content, max)
	if err != nil {
		return job.Artifact{}, fmt.Errorf("store artifact %s: %w", name, err)
	}
	if err := at.record(ctx, job.ArtifactStored{Artifact: stored}); err != nil {
		at.discard()
		return stored, err
	}
	return stored, nil
}

// How often the store is asked whether it has the attempt's claim by now, whose commit takes milliseconds: first, and once it
// has taken long.
const ownsEvery, ownsEveryAtMost = 25 * time.Millisecond, 2 * time.Second

// owns waits until the store has the job under the attempt's claim. ErrLeaseLost if it is another's by now, or has ended.
func (at *attempt) owns(ctx context.Context) error {
	for wait := ownsEvery; ; wait = min(2*wait, ownsEveryAtMost) {
		records, err := at.app.config.Store.Get(ctx, []job.ID{at.id})
		if err == nil && len(records) > 0 {
			switch row := &records[0].Job; {
			case row.Status.Terminal() || row.Token > at.token || row.Token == at.token && row.Node != at.app.config.Node:
				return ErrLeaseLost
			case row.Token == at.token:
				return nil
			}
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err)
		}
	}
}

// discard removes what was stored for a job that was deleted meanwhile: nobody else would. Files of a job that is still there
// go with it.
func (at *attempt) discard() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(at.ctx), commitTimeout)
	defer cancel()
	records, err := at.app.config.Store.Get(ctx, []job.ID{at.id})
	if err != nil || len(records) > 0 {
		return
	}
	if err := at.app.config.Artifacts.Delete(ctx, []job.ID{at.id}); err != nil && !errors.Is(err, persistence.ErrNotFound) {
		at.app.log.Warn("a file of a deleted job is left", "job", at.id, "error", err)
	}
}
