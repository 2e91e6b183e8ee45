package local

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"time"
)

// abandonedAge is how long nothing was written to an unfinished file before it counts as left by a process that died. It
// spares the files that another node, which shares the directory, is writing now.
const abandonedAge = time.Hour

// maxSwept bounds what one sweep looks at.
const maxSwept = 10_000

// sweepAgain sweeps if that was an hour ago. What it can't remove, a later one will, or a person.
func (a *Artifacts) sweepAgain() {
	if !a.sweeping.TryLock() {
		return
	}
	defer a.sweeping.Unlock()
	if time.Since(a.swept) >= abandonedAge {
		_ = a.sweep()
	}
}

// sweep removes abandoned files. Their age is told by the clock that dates them, which is not this node's where the directory is
// another machine's: a node whose clock is an hour ahead must not remove what others are writing.
func (a *Artifacts) sweep() error {
	a.swept = time.Now()
	if err := a.root.Mkdir(unfinished, 0o750); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	now, err := a.clock()
	if err != nil {
		return err
	}
	directory, err := a.root.Open(unfinished)
	if err != nil {
		return err
	}
	defer directory.Close()
	entries, err := directory.ReadDir(maxSwept)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err == nil && now.Sub(info.ModTime()) > abandonedAge {
			err = a.root.Remove(path.Join(unfinished, entry.Name()))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// clock is the time by which a file that is written now is dated.
func (a *Artifacts) clock() (time.Time, error) {
	name := path.Join(unfinished, rand.Text())
	f, err := a.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if err != nil {
		return time.Time{}, fmt.Errorf("date a file: %w", err)
	}
	info, err := f.Stat()
	if err := errors.Join(err, f.Close(), a.root.Remove(name)); err != nil {
		return time.Time{}, fmt.Errorf("date a file: %w", err)
	}
	return info.ModTime(), nil
}
