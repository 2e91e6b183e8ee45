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
	old := time.Now().Add(-48 * time.Hour)
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
	for _, path := range []string{dead.path, alive.path, other} {
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
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
