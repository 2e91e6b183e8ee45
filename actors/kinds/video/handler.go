package video

import (
	"context"

	"github.com/meta-ad-studio/troupe/actors"
)

// New makes the handler. It also removes the folders that processes which died have left in TempDir.
func New(c Config) actors.Handler {
	s := newStudio(c)
	return func(ctx context.Context, j *actors.Job) error { return s.run(ctx, j) }
}

var _ hold = (*actors.Job)(nil)
