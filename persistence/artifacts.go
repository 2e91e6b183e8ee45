package persistence

import (
	"context"
	"io"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// Artifacts keeps the files that handlers make. A file is named by job, token and name, so that an attempt that was
// overtaken can't overwrite what its successor made. Whoever puts has made sure that the Store has the job under this token and on
// this node: a token that a rolled-back inbox gave to two is then one's.
type Artifacts interface {
	// Put stores the content under the name and returns its description. The file is visible whole or not at all, and durable
	// before Put returns. At most max bytes are taken: more is ErrFull. The name must be valid (job.ValidName).
	Put(ctx context.Context, id job.ID, token int64, name, mediaType string, content io.Reader, max int64) (job.Artifact, error)

	// Open reads a file that Put stored; ErrNotFound if it is not there.
	Open(ctx context.Context, id job.ID, token int64, name string) (ArtifactFile, error)

	// Delete removes all files of the jobs.
	Delete(ctx context.Context, ids []job.ID) error
}

// ArtifactFile is an open artifact.
type ArtifactFile interface {
	io.ReadSeekCloser
	Size() int64
	Modified() time.Time
}
