//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package video

import (
	"os"
	"path/filepath"
	"syscall"
	"time"
)

func lock(file *os.File) error {
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}

// inUse says whether a process holds the folder's lock.
func inUse(path string, age time.Duration) bool {
	file, err := os.Open(filepath.Join(path, lockName))
	if err != nil {
		return age < locklessAge || !os.IsNotExist(err)
	}
	defer file.Close()
	return syscall.Flock(int(file.Fd()), syscall.LOCK_SH|syscall.LOCK_NB) != nil
}
