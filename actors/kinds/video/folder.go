package video

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"
)

const (
	folderPrefix = "troupe-video-"
	lockName     = "lock"
	// lockedAge is how old a folder must be for its lock to count: a younger one may be just about to be locked.
	lockedAge = time.Second
	// locklessAge is how old a folder without a lock must be to be swept.
	locklessAge = time.Minute
)

// folder is an attempt's private folder. A lock in it, which the kernel gives up when the process dies, tells other processes
// that it is in use; process ids would not, across containers that share a disk.
type folder struct {
	path string
	lock *os.File
}

func openFolder(parent string) (*folder, error) {
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return nil, fmt.Errorf("make the folder for temporary files: %w", err)
	}
	path, err := os.MkdirTemp(parent, folderPrefix)
	if err != nil {
		return nil, fmt.Errorf("make a temporary folder: %w", err)
	}
	f := &folder{path: path}
	f.lock, err = os.OpenFile(filepath.Join(path, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err == nil {
		err = lock(f.lock)
	}
	if err != nil {
		f.remove()
		return nil, fmt.Errorf("lock a temporary folder: %w", err)
	}
	return f, nil
}

// remove removes the folder and all that is in it.
func (f *folder) remove() {
	_ = os.RemoveAll(f.path)
	if f.lock != nil {
		_ = f.lock.Close()
	}
}

// sweep removes the folders whose processes have died.
func sweep(parent string, log *slog.Logger) {
	paths, err := filepath.Glob(filepath.Join(parent, folderPrefix+"*"))
	if err != nil {
		return // the folder's name is odd; it is made and checked when the first attempt needs it
	}
	for _, path := range paths {
		info, err := os.Lstat(path)
		if err != nil || !info.IsDir() {
			continue
		}
		if age := time.Since(info.ModTime()); age < lockedAge || inUse(path, age) {
			continue
		}
		if err := os.RemoveAll(path); err != nil {
			log.Warn("a folder of a dead process can't be removed", "path", path, "error", err)
			continue
		}
		log.Info("removed the folder of a dead process", "path", path)
	}
}
