package local

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
	"github.com/meta-ad-studio/troupe/persistence/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func openArtifacts(t *testing.T, directory string) *Artifacts {
	t.Helper()
	a, err := OpenArtifacts(directory)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

func TestArtifacts(t *testing.T) {
	storetest.Artifacts(t, func(t *testing.T) persistence.Artifacts {
		return openArtifacts(t, filepath.Join(t.TempDir(), "made", "at", "need"))
	})
}

func TestBus(t *testing.T) {
	storetest.Bus(t, func(*testing.T) (a, b persistence.Bus) {
		h := NewHub()
		return h.Bus("node-a"), h.Bus("node-b")
	})
}

func TestBusOfOneNode(t *testing.T) {
	storetest.Bus(t, func(*testing.T) (a, b persistence.Bus) { return NewBus("node-a"), nil })
}

func TestFailedPutsLeaveNoFile(t *testing.T) {
	directory := t.TempDir()
	a := openArtifacts(t, directory)
	ctx, cancel := context.WithCancel(t.Context())
	for _, put := range []func() error{
		func() error {
			_, err := a.Put(ctx, job.ID{1}, 1, "film", "", bytes.NewReader(make([]byte, 100)), 99)
			return err
		},
		func() error {
			_, err := a.Put(ctx, job.ID{1}, -1, "film", "", bytes.NewReader(nil), 99)
			return err
		},
		func() error {
			cancel()
			_, err := a.Put(ctx, job.ID{1}, 1, "film", "", bytes.NewReader(make([]byte, 100)), 100)
			return err
		},
	} {
		if err := put(); err == nil {
			t.Error("it was put")
		}
	}
	wantFiles(t, directory)
}

func wantFiles(t *testing.T, directory string, want ...string) {
	t.Helper()
	var got []string
	err := filepath.WalkDir(directory, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			name, _ := filepath.Rel(directory, path)
			got = append(got, name)
		}
		return err
	})
	if err != nil || len(got) != len(want) || len(want) > 0 && got[0] != want[0] {
		t.Errorf("files are %q, %v, want %q", got, err, want)
	}
}

func TestLeftoversAreSweptAtOpen(t *testing.T) {
	directory := t.TempDir()
	openArtifacts(t, directory)
	for name, age := range map[string]time.Duration{"old": abandonedAge + time.Minute, "young": abandonedAge - time.Minute} {
		path := filepath.Join(directory, unfinished, name)
		if err := errors.Join(os.WriteFile(path, []byte("x"), 0o600), os.Chtimes(path, time.Time{}, time.Now().Add(-age))); err != nil {
			t.Fatal(err)
		}
	}
	openArtifacts(t, directory)
	wantFiles(t, directory, filepath.Join(unfinished, "young"))
}

func TestLinksDoNotLeadOut(t *testing.T) {
	directory, outside := t.TempDir(), t.TempDir()
	a := openArtifacts(t, directory)
	id := job.ID{1}
	if err := errors.Join(os.WriteFile(filepath.Join(outside, "1-film"), []byte("secret"), 0o600), os.Symlink(outside, filepath.Join(directory, id.String()))); err != nil {
		t.Fatal(err)
	}
	if f, err := a.Open(t.Context(), id, 1, "film"); err == nil {
		_ = f.Close()
		t.Error("a link led to a file outside")
	}
	if _, err := a.Put(t.Context(), id, 2, "film", "", bytes.NewReader(nil), 1); err == nil {
		t.Error("a link led a file outside")
	}
	wantFiles(t, outside, "1-film")
}

func TestFullDiskIsFull(t *testing.T) {
	for _, errno := range []error{syscall.ENOSPC, syscall.EDQUOT} {
		if err := storage(&os.PathError{Op: "write", Err: errno}); !errors.Is(err, persistence.ErrFull) || !errors.Is(err, errno) {
			t.Errorf("%v is mapped to %v", errno, err)
		}
	}
	if err := storage(syscall.EIO); !errors.Is(err, persistence.ErrUnavailable) {
		t.Errorf("a failing disk is mapped to %v", err)
	}
}

func TestLastStatesAreBounded(t *testing.T) {
	const keep = 10
	text := make([]byte, 1000)
	l := newLastStates(keep * (len(text) + stateCost))
	for n := range byte(keep) {
		l.put(job.ID{n}, 1, text)
	}
	l.get(job.ID{0})                  // used: stays
	l.put(job.ID{1}, 1, text)         // published again: stays
	l.put(job.ID{100}, 1, text)       // in the place of 2
	l.put(job.ID{101}, 1, nil)        // in the place of 3
	l.put(job.ID{102}, 1, text[:700]) // in what that left over
	for n, want := range map[byte]bool{0: true, 1: true, 2: false, 3: false, 4: true, 9: true, 100: true, 102: true} {
		if got := l.get(job.ID{n}) != nil; got != want {
			t.Errorf("state %d is kept: %v, want %v", n, got, want)
		}
	}
	l.put(job.ID{103}, 1, make([]byte, l.max))
	if l.size != 0 || l.order.Len() != 0 || len(l.byID) != 0 {
		t.Errorf("after a state over the bound %d bytes of %d states are kept", l.size, l.order.Len())
	}
}

func TestSlowSubscriberIsToldOfTheGap(t *testing.T) {
	s := &subscription{node: "b", more: make(chan struct{}, 1)}
	first, lost, later := persistence.Delivery{Node: "first"}, persistence.Delivery{Node: "lost"}, persistence.Delivery{Node: "later"}
	s.add(first, MaxBehind-2*deliveryCost)
	s.add(lost, deliveryCost)
	s.add(later, 0)
	s.add(lost, 0)
	got := s.take()
	if len(got) != 3 || got[0].Gap || got[0].Node != "first" || !got[1].Gap || got[1].Node != "later" || !got[2].Gap || got[2].Node != "" {
		t.Errorf("deliveries are %+v", got)
	}
	s.add(later, 0)
	if got := s.take(); len(got) != 1 || got[0].Gap {
		t.Errorf("after the gap was told: %+v", got)
	}
}
