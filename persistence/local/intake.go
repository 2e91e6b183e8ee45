package local

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"math"

	"github.com/meta-ad-studio/troupe/persistence"
)

// intake reads a content once: it hashes and counts what passes, and stops at the bound and at the context's end.
type intake struct {
	ctx    context.Context
	source io.Reader
	max    int64
	taken  int64
	hash   hash.Hash
	failed error // why it can't be read to its end, if it can't
}

// newIntake reads at most max bytes of the source, and one more to see whether there is one.
func newIntake(ctx context.Context, source io.Reader, max int64) *intake {
	max = min(max, math.MaxInt64-1)
	return &intake{ctx: ctx, source: io.LimitReader(source, max+1), max: max, hash: sha256.New()}
}

// Read implements io.Reader.
func (in *intake) Read(p []byte) (int, error) {
	if in.failed = in.ctx.Err(); in.failed != nil {
		return 0, in.failed
	}
	n, err := in.source.Read(p)
	in.taken += int64(n)
	_, _ = in.hash.Write(p[:n])
	switch {
	case in.taken > in.max:
		in.failed = fmt.Errorf("%w: more than %d bytes", persistence.ErrFull, in.max)
	case err == io.EOF && in.ctx.Err() != nil:
		in.failed = in.ctx.Err()
	case err != nil && err != io.EOF:
		in.failed = fmt.Errorf("read the content: %w", err)
	}
	if in.failed != nil {
		return n, in.failed
	}
	return n, err
}
