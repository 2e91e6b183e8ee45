package local

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// Artifacts keeps files in a directory, as JOB/TOKEN-NAME. It never leaves that directory, whatever links are in it.
type Artifacts struct {
	root *os.Root

	sweeping sync.Mutex
	swept    time.Time
}

var _ persistence.Artifacts = (*Artifacts)(nil)

// unfinished is the folder of files that are being written. No job has this name.
const unfinished = "tmp"

// OpenArtifacts opens the directory, making it if it is not there, and removes what was left unfinished for an hour or more, as putting
// does once an hour. Close it when done.
func OpenArtifacts(directory string) (*Artifacts, error) {
	if err := os.MkdirAll(directory, 0o750); err != nil {
		return nil, fmt.Errorf("make the directory of artifacts: %w", err)
	}
	root, err := os.OpenRoot(directory)
	if err != nil {
		return nil, fmt.Errorf("open the directory of artifacts: %w", err)
	}
	a := &Artifacts{root: root}
	if err := a.sweep(); err != nil {
		return nil, errors.Join(fmt.Errorf("sweep the directory of artifacts: %w", err), root.Close())
	}
	return a, nil
}

// Close releases the directory. Open files stay open.
func (a *Artifacts) Close() error { return a.root.Close() }

// Put implements persistence.Artifacts: it writes an unfinished file, makes it durable and gives it its name in one step.
func (a *Artifacts) Put(ctx context.Context, id job.ID, token int64, name, mediaType string, content io.Reader, max int64) (job.Artifact, error) {
	artifact, err := a.put(ctx, id, token, name, content, max)
	if err != nil {
		return job.Artifact{}, fmt.Errorf("store artifact %.80q of job %s: %w", name, id, err)
	}
	artifact.Type = mediaType
	return artifact, nil
}

func (a *Artifacts) put(ctx context.Context, id job.ID, token int64, name string, content io.Reader, max int64) (job.Artifact, error) {
	if err := check(token, name); err != nil {
		return job.Artifact{}, err
	}
	a.sweepAgain()
	temporary := path.Join(unfinished, rand.Text())
	in := newIntake(ctx, content, max)
	if err := a.write(temporary, in); err != nil {
		_ = a.root.Remove(temporary)
		return job.Artifact{}, err
	}
	if err := a.name(temporary, id, fileName(token, name)); err != nil {
		_ = a.root.Remove(temporary)
		return job.Artifact{}, storage(err)
	}
	return job.Artifact{Name: name, Bytes: in.taken, Token: token, ETag: hex.EncodeToString(in.hash.Sum(nil))}, nil
}

// write makes a durable file of the content.
func (a *Artifacts) write(file string, in *intake) error {
	f, err := a.root.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if err != nil {
		return storage(err)
	}
	_, err = io.Copy(f, in)
	if in.failed != nil {
		_ = f.Close()
		return in.failed
	}
	if err == nil {
		err = f.Sync()
	}
	return storage(errors.Join(err, f.Close()))
}

// nameTries is how often a job's folder may vanish, by a Delete, between its making and its use.
const nameTries = 5

// name moves a written file into its job's folder, durably.
func (a *Artifacts) name(temporary string, id job.ID, file string) error {
	folder := id.String()
	var err error
	for range nameTries {
		if err = a.root.Mkdir(folder, 0o750); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		if err = a.root.Rename(temporary, path.Join(folder, file)); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	if err != nil {
		return err
	}
	// Both, also if the folder was there: whoever made it may not have come to sync it.
	for _, directory := range []string{folder, "."} {
		if err := a.sync(directory); err != nil && !errors.Is(err, fs.ErrNotExist) { // deleted since
			return err
		}
	}
	return nil
}

func (a *Artifacts) sync(directory string) error {
	d, err := a.root.Open(directory)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Open implements persistence.Artifacts.
func (a *Artifacts) Open(_ context.Context, id job.ID, token int64, name string) (persistence.ArtifactFile, error) {
	f, err := a.open(id, token, name)
	if err != nil {
		return nil, fmt.Errorf("open artifact %.80q of job %s: %w", name, id, err)
	}
	return f, nil
}

func (a *Artifacts) open(id job.ID, token int64, name string) (*file, error) {
	if err := check(token, name); err != nil {
		return nil, err
	}
	f, err := a.root.Open(path.Join(id.String(), fileName(token, name)))
	if err != nil {
		return nil, storage(err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, errors.Join(storage(err), f.Close())
	}
	return &file{f, info}, nil
}

// Delete implements persistence.Artifacts. Files that are open are read to their ends.
func (a *Artifacts) Delete(ctx context.Context, ids []job.ID) error {
	for _, id := range ids {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("delete artifacts: %w", err)
		}
		if err := a.root.RemoveAll(id.String()); err != nil {
			return fmt.Errorf("delete the artifacts of job %s: %w", id, storage(err))
		}
	}
	return nil
}

// file is an open artifact.
type file struct {
	*os.File
	info fs.FileInfo
}

// Size is in bytes.
func (f *file) Size() int64 { return f.info.Size() }

// Modified is when the file was written.
func (f *file) Modified() time.Time { return f.info.ModTime() }

func check(token int64, name string) error {
	switch {
	case !job.ValidName(name):
		return fmt.Errorf("%w: name", persistence.ErrInvalid)
	case token < 0:
		return fmt.Errorf("%w: token %d", persistence.ErrInvalid, token)
	}
	return nil
}

// fileName is unambiguous: a token has digits only, so the first dash ends it.
func fileName(token int64, name string) string { return strconv.FormatInt(token, 10) + "-" + name }

// storage maps the file system's errors to those of the contract.
func storage(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %w", persistence.ErrNotFound, err)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w: %w", persistence.ErrFull, err)
	}
	return fmt.Errorf("%w: %w", persistence.ErrUnavailable, err)
}
