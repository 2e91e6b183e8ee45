package sqlite

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// lockFile is the hold of one process on a database. The operating system ends it with the process, however that ends;
// the file stays and means nothing by itself.
type lockFile struct{ file *os.File }

var errHeld = errors.New("held")

// acquire takes the lock of the database at path, or says which process has it.
func acquire(path string) (*lockFile, error) {
	name := path + ".lock"
	file, err := openLocked(name)
	if errors.Is(err, errHeld) {
		return nil, fmt.Errorf("%s is in use by another troupe process (pid %s)", path, holder(name))
	}
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	if err := errors.Join(file.Truncate(0), writeString(file, strconv.Itoa(os.Getpid())+"\n")); err != nil {
		return nil, errors.Join(fmt.Errorf("write %s: %w", name, err), file.Close())
	}
	return &lockFile{file}, nil
}

func (l *lockFile) release() error { return l.file.Close() }

func writeString(f *os.File, s string) error {
	_, err := f.WriteAt([]byte(s), 0)
	return err
}

// holder reads which process wrote itself into the lock's file.
func holder(name string) string {
	file, err := os.Open(name)
	if err != nil {
		return "unknown"
	}
	defer file.Close()
	data, _ := io.ReadAll(io.LimitReader(file, 32))
	if pid := strings.TrimSpace(string(data)); pid != "" {
		return pid
	}
	return "unknown"
}
