//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package video

import (
	"os"
	"time"
)

func lock(*os.File) error { return nil }

// unlockedAge is how old a folder must be to be swept where there are no locks.
const unlockedAge = 24 * time.Hour

// inUse guesses by age, where there are no locks that end with their process.
func inUse(_ string, age time.Duration) bool { return age < unlockedAge }
