package video

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// recorder is a job in the hand of an attempt: it keeps what the attempt tells it, by the rules of package job.
type recorder struct {
	record job.Job
	told   func(job.Progress)

	mu       sync.Mutex
	progress []job.Progress
	log      []string
	stored   []string // names, in order
	files    map[string][]byte
	result   json.RawMessage
}

func newRecorder(payload any) *recorder {
	data, err := json.Marshal(payload)
	if err != nil {
		panic(err)
	}
	return &recorder{record: job.Job{ID: job.ID{1}, Kind: Kind, Payload: data, Token: 7, Attempt: 1}, files: map[string][]byte{}}
}

func (r *recorder) ID() job.ID           { return r.record.ID }
func (r *recorder) Record() job.Job      { return r.record }
func (r *recorder) Logger() *slog.Logger { return slog.New(slog.DiscardHandler) }

func (r *recorder) Log(level slog.Level, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log = append(r.log, level.String()+" "+text)
}

func (r *recorder) Progress(p job.Progress) {
	r.mu.Lock()
	r.progress = append(r.progress, p)
	r.mu.Unlock()
	if r.told != nil {
		r.told(p)
	}
}

func (r *recorder) Checkpoint(_ context.Context, value any) (err error) {
	r.record.Checkpoint, err = json.Marshal(value)
	return err
}

func (r *recorder) Restore(value any) (bool, error) {
	if r.record.Checkpoint == nil {
		return false, nil
	}
	return true, json.Unmarshal(r.record.Checkpoint, value)
}

func (r *recorder) Artifact(ctx context.Context, name, mediaType string, content io.Reader, limit int64) (job.Artifact, error) {
	data, err := io.ReadAll(io.LimitReader(content, limit+1))
	if err != nil || ctx.Err() != nil {
		return job.Artifact{}, errors.Join(err, ctx.Err())
	}
	if int64(len(data)) > limit || !job.ValidName(name) {
		return job.Artifact{}, persistence.ErrFull
	}
	sum := sha256.Sum256(data)
	r.stored, r.files[name] = append(r.stored, name), data
	return job.Artifact{Name: name, Type: mediaType, Bytes: int64(len(data)), Token: r.record.Token, ETag: hex.EncodeToString(sum[:])}, nil
}

func (r *recorder) Result(value any) (err error) {
	r.result, err = json.Marshal(value)
	return err
}

// Open implements Opener.
func (r *recorder) Open(_ context.Context, id job.ID, token int64, name string) (persistence.ArtifactFile, error) {
	data, ok := r.files[name]
	if !ok || id != r.record.ID || token != 7 {
		return nil, persistence.ErrNotFound
	}
	return file{bytes.NewReader(data)}, nil
}

type file struct{ *bytes.Reader }

func (file) Close() error        { return nil }
func (f file) Size() int64       { return f.Reader.Size() }
func (file) Modified() time.Time { return time.Time{} }

// check holds what is true of every attempt's progress and of the folder it worked in.
func (r *recorder) check(t *testing.T, folder string, complete bool) {
	t.Helper()
	percent := func(a, b job.Progress) int {
		if a.Percent < b.Percent || a.StageIndex < b.StageIndex {
			return -1
		}
		return 0
	}
	if !slices.IsSortedFunc(r.progress, func(a, b job.Progress) int { return percent(a, b) }) {
		t.Errorf("progress goes back: %+v", r.progress)
	}
	if complete && (len(r.progress) == 0 || r.progress[len(r.progress)-1].Percent != 100) {
		t.Errorf("progress does not reach the end: %+v", r.progress)
	}
	left, err := os.ReadDir(folder)
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
