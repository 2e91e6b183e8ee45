package video

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestSweepTakesOnlyWhatDeadProcessesLeft(t *testing.T) {
	parent := t.TempDir()
	dead, err := openFolder(parent)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dead.path, "clip.part"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	_ = dead.lock.Close() // as the kernel does when a process dies
	alive, err := openFolder(parent)
	if err != nil {
		t.Fatal(err)
	}
	young := filepath.Join(parent, folderPrefix+"young")
	other := filepath.Join(parent, "others")
	for _, path := range []string{young, other} {
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for path, age := range map[string]time.Duration{dead.path: 2 * time.Second, alive.path: 48 * time.Hour, other: 48 * time.Hour, young: 2 * time.Second} {
		if at := time.Now().Add(-age); os.Chtimes(path, at, at) != nil {
			t.Fatal(path)
		}
	}
	sweep(parent, slog.New(slog.DiscardHandler))
	for path, want := range map[string]bool{dead.path: false, alive.path: true, young: true, other: true} {
		if _, err := os.Stat(path); (err == nil) != want {
			t.Errorf("%s: %v", filepath.Base(path), err)
		}
	}
	alive.remove()
	if _, err := os.Stat(alive.path); !os.IsNotExist(err) {
		t.Error(err)
	}
}
