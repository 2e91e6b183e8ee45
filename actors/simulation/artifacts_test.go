package simulation

import (
	"context"
	"io"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// noArtifacts keeps nothing: no handler here makes any.
type noArtifacts struct{}

func (noArtifacts) Put(context.Context, job.ID, int64, string, string, io.Reader, int64) (job.Artifact, error) {
	return job.Artifact{}, persistence.ErrUnavailable
}

func (noArtifacts) Open(context.Context, job.ID, int64, string) (persistence.ArtifactFile, error) {
	return nil, persistence.ErrNotFound
}

func (noArtifacts) Delete(context.Context, []job.ID) error { return nil }
