//go:build unix

package testenv

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// folder is the process's temporary folder. A lock on a file in it says that the process lives.
type folder struct {
	path string
	lock *os.File
	// account is whom Postgres runs as, because it refuses root; nil if this process is not root.
	account *syscall.Credential
}

const folderPrefix = "troupe-test-"

// sweepAge keeps the sweeper from a folder whose owner has not locked it yet.
const sweepAge = time.Minute

func newFolder() (*folder, error) {
	account, err := unprivileged()
	if err != nil {
		return nil, err
	}
	parent := os.TempDir()
	if account != nil && !traversable(parent) {
		parent = "/tmp"
	}
	sweep(parent)
	path, err := os.MkdirTemp(parent, folderPrefix)
	if err != nil {
		return nil, fmt.Errorf("make the folder of the test servers: %w", err)
	}
	f := &folder{path: path, account: account}
	if err := os.Chmod(path, 0o711); err != nil {
		return nil, fmt.Errorf("open the folder of the test servers to the account of Postgres: %w", err)
	}
	if f.lock, err = os.Create(filepath.Join(path, "lock")); err != nil {
		return nil, fmt.Errorf("lock the folder of the test servers: %w", err)
	}
	if err := syscall.Flock(int(f.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, fmt.Errorf("lock the folder of the test servers: %w", err)
	}
	return f, nil
}

// sub makes a folder for one server, which belongs to Postgres' account if asked.
func (f *folder) sub(name string, forPostgres bool) (string, error) {
	path, err := os.MkdirTemp(f.path, name+"-")
	if err == nil && forPostgres && f.account != nil {
		err = os.Chown(path, int(f.account.Uid), int(f.account.Gid))
	}
	if err != nil {
		return "", fmt.Errorf("make the folder of a test server: %w", err)
	}
	return path, nil
}

func (f *folder) remove() {
	_ = os.RemoveAll(f.path)
	_ = f.lock.Close()
}

// sweep removes the folders of processes that are gone.
func sweep(parent string) {
	found, _ := filepath.Glob(filepath.Join(parent, folderPrefix+"*"))
	for _, path := range found {
		if info, err := os.Stat(path); err != nil || time.Since(info.ModTime()) < sweepAge {
			continue
		}
		lock, err := os.Open(filepath.Join(path, "lock"))
		if err != nil {
			continue
		}
		if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			_ = os.RemoveAll(path)
		}
		_ = lock.Close()
	}
}

// unprivileged is the account for servers that refuse root; nil if this process is not root.
func unprivileged() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		u, err = user.Lookup("nobody")
	}
	if err != nil {
		return nil, fmt.Errorf("find an account for Postgres, which refuses root: %w", err)
	}
	uid, errUID := strconv.ParseUint(u.Uid, 10, 32)
	gid, errGID := strconv.ParseUint(u.Gid, 10, 32)
	if errUID != nil || errGID != nil {
		return nil, fmt.Errorf("account %s: uid %q and gid %q are no numbers", u.Username, u.Uid, u.Gid)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// traversable says whether everybody may pass through the folder and all above it.
func traversable(path string) bool {
	for ; ; path = filepath.Dir(path) {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o001 == 0 {
			return false
		}
		if path == filepath.Dir(path) {
			return true
		}
	}
}
