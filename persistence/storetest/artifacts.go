package storetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// Artifacts runs the suite on the stores of files that open gives: each empty, and closed by the test's cleanup.
func Artifacts(t *testing.T, open func(t *testing.T) persistence.Artifacts) {
	for _, c := range artifactCases {
		t.Run(c.name, func(t *testing.T) {
			rng := Random(t)
			c.run(&artifactTest{T: t, ctx: testContext(t), store: open(t), rng: rng, id: NewID(rng, time.Now())})
		})
	}
}

type artifactCase struct {
	name string
	run  func(*artifactTest)
}

type artifactTest struct {
	*testing.T
	ctx   context.Context
	store persistence.Artifacts
	rng   *rand.Rand
	id    job.ID
}

const plenty = 64 << 20

func (t *artifactTest) content(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(t.rng.Uint32())
	}
	return b
}

func (t *artifactTest) put(token int64, name string, content []byte) job.Artifact {
	t.Helper()
	a, err := t.store.Put(t.ctx, t.id, token, name, "video/mp4", bytes.NewReader(content), plenty)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (t *artifactTest) open(id job.ID, token int64, name string) persistence.ArtifactFile {
	t.Helper()
	f, err := t.store.Open(t.ctx, id, token, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func (t *artifactTest) wantContent(token int64, name string, want []byte) {
	t.Helper()
	f := t.open(t.id, token, name)
	got, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) || f.Size() != int64(len(want)) {
		t.Errorf("%s under token %d has %d bytes and says %d, want %d", name, token, len(got), f.Size(), len(want))
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

func (t *artifactTest) wantAbsent(id job.ID, token int64, name string) {
	t.Helper()
	f, err := t.store.Open(t.ctx, id, token, name)
	if err == nil {
		_ = f.Close()
	}
	if !errors.Is(err, persistence.ErrNotFound) {
		t.Errorf("opening %s under token %d: %v, want ErrNotFound", name, token, err)
	}
}

var artifactCases = []artifactCase{
	{"a file is read as it was put, and described", func(t *artifactTest) {
		for i, size := range []int{0, 1, 4 << 10, 3 << 20} {
			content, name := t.content(size), fmt.Sprint("film", i, ".mp4")
			got := t.put(7, name, content)
			want := job.Artifact{Name: name, Type: "video/mp4", Bytes: int64(size), Token: 7, ETag: fmt.Sprintf("%x", sha256.Sum256(content))}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("description (-want +got):\n%s", diff)
			}
			t.wantContent(7, name, content)
			if at := t.open(t.id, 7, name).Modified(); time.Since(at).Abs() > time.Hour {
				t.Errorf("modified at %v", at)
			}
		}
	}},
	{"a file can be read from anywhere in it", func(t *artifactTest) {
		content := t.content(100 << 10)
		t.put(1, "film", content)
		f := t.open(t.id, 1, "film")
		for _, at := range []int64{90_000, 0, 100 << 10, 5} {
			if got, err := f.Seek(at, io.SeekStart); err != nil || got != at {
				t.Fatalf("seek to %d: %d, %v", at, got, err)
			}
			if got, err := io.ReadAll(f); err != nil || !bytes.Equal(got, content[at:]) {
				t.Fatalf("from %d on: %d bytes, %v", at, len(got), err)
			}
		}
		if end, err := f.Seek(-1, io.SeekEnd); err != nil || end != int64(len(content))-1 {
			t.Errorf("seek to the last byte: %d, %v", end, err)
		}
	}},
	{"tokens, names and jobs are apart", func(t *artifactTest) {
		t.put(1, "film", []byte("first"))
		t.put(2, "film", []byte("second"))
		t.put(1, "film.1", []byte("third"))
		t.put(11, "film", []byte("fourth"))
		t.put(1, "1-film", []byte("fifth"))
		t.put(1, "FILM", []byte("sixth"))
		t.wantContent(1, "film", []byte("first"))
		t.wantContent(2, "film", []byte("second"))
		t.wantContent(1, "film.1", []byte("third"))
		t.wantContent(11, "film", []byte("fourth"))
		t.wantContent(1, "1-film", []byte("fifth"))
		t.wantContent(1, "FILM", []byte("sixth"))
		t.wantAbsent(t.id, 3, "film")
		t.wantAbsent(t.id, 1, "fil")
		t.wantAbsent(NewID(t.rng, time.Now()), 1, "film")
	}},
	{"an old attempt that ends its writing late replaces nothing of a newer one", func(t *artifactTest) {
		begun, proceed := make(chan struct{}), make(chan struct{})
		late := t.content(50_000)
		slow := io.MultiReader(bytes.NewReader(late[:100]), readerFunc(func([]byte) (int, error) {
			close(begun)
			<-proceed
			return 0, io.EOF
		}), bytes.NewReader(late[100:]))
		var put sync.WaitGroup
		put.Go(func() {
			if _, err := t.store.Put(t.ctx, t.id, 1, "film", "video/mp4", slow, plenty); err != nil {
				t.Error(err)
			}
		})
		<-begun
		content := t.content(70_000)
		t.put(2, "film", content)
		t.wantAbsent(t.id, 1, "film")
		close(proceed)
		put.Wait()
		t.wantContent(2, "film", content)
		t.wantContent(1, "film", late)
	}},
	{"putting again replaces", func(t *artifactTest) {
		t.put(1, "film", t.content(5000))
		reader := t.open(t.id, 1, "film")
		content := t.content(700)
		t.put(1, "film", content)
		t.wantContent(1, "film", content)
		if got, err := io.ReadAll(reader); err != nil || len(got) != 5000 {
			t.Errorf("who was reading the old one got %d bytes, %v", len(got), err)
		}
	}},
	{"as much as the bound is taken, and more leaves nothing", func(t *artifactTest) {
		content := t.content(100_000)
		if _, err := t.store.Put(t.ctx, t.id, 1, "fits", "", bytes.NewReader(content), int64(len(content))); err != nil {
			t.Fatal(err)
		}
		t.wantContent(1, "fits", content)
		for _, name := range []string{"fits", "new"} {
			_, err := t.store.Put(t.ctx, t.id, 1, name, "", bytes.NewReader(content), int64(len(content))-1)
			if !errors.Is(err, persistence.ErrFull) {
				t.Errorf("one byte over the bound: %v, want ErrFull", err)
			}
		}
		t.wantContent(1, "fits", content)
		t.wantAbsent(t.id, 1, "new")
	}},
	{"a bound stops a content without end", func(t *artifactTest) {
		endless := readerFunc(func(p []byte) (int, error) { return len(p), nil })
		if _, err := t.store.Put(t.ctx, t.id, 1, "film", "", endless, 1<<20); !errors.Is(err, persistence.ErrFull) {
			t.Errorf("%v, want ErrFull", err)
		}
		t.wantAbsent(t.id, 1, "film")
	}},
	{"a content that breaks off leaves nothing", func(t *artifactTest) {
		broken := errors.New("the provider hung up")
		content := io.MultiReader(bytes.NewReader(t.content(10_000)), iotest.ErrReader(broken))
		if _, err := t.store.Put(t.ctx, t.id, 1, "film", "", content, plenty); !errors.Is(err, broken) {
			t.Errorf("%v, want the reader's error", err)
		}
		t.wantAbsent(t.id, 1, "film")
	}},
	{"a name that is not valid is refused", func(t *artifactTest) {
		for _, name := range []string{"", ".", "..", "a/b", "../film", "/etc/passwd", ".hidden", "a b", "é", "a\x00b", strings.Repeat("a", job.MaxName+1)} {
			if _, err := t.store.Put(t.ctx, t.id, 1, name, "", strings.NewReader("x"), plenty); err == nil {
				t.Errorf("the name %q was taken", name)
			}
			if f, err := t.store.Open(t.ctx, t.id, 1, name); err == nil {
				_ = f.Close()
				t.Errorf("the name %q was opened", name)
			}
		}
	}},
	{"every valid name is taken", func(t *artifactTest) {
		for _, name := range []string{"a", "0", "a..b", "a.tmp", "con", "aux.txt", "a-", "a_", "a.", strings.Repeat("a", job.MaxName)} {
			content := t.content(9)
			t.put(1<<62, name, content)
			t.wantContent(1<<62, name, content)
		}
	}},
	{"deleting removes all files of the jobs and no others", func(t *artifactTest) {
		gone := []job.ID{t.id, NewID(t.rng, time.Now())}
		for _, id := range gone {
			t.id = id
			t.put(1, "film", []byte("x"))
			t.put(2, "sound", []byte("x"))
		}
		t.id = NewID(t.rng, time.Now())
		t.put(1, "film", []byte("kept"))
		for range 2 {
			if err := t.store.Delete(t.ctx, append(gone, NewID(t.rng, time.Now()))); err != nil {
				t.Fatal(err)
			}
		}
		for _, id := range gone {
			t.wantAbsent(id, 1, "film")
			t.wantAbsent(id, 2, "sound")
		}
		t.wantContent(1, "film", []byte("kept"))
		if err := t.store.Delete(t.ctx, nil); err != nil {
			t.Error(err)
		}
	}},
	{"of many at once one file is whole", func(t *artifactTest) {
		var wg sync.WaitGroup
		for n := range 8 {
			content := bytes.Repeat([]byte{byte('a' + n)}, 200_000)
			wg.Go(func() {
				for _, token := range []int64{1, int64(10 + n)} {
					if _, err := t.store.Put(t.ctx, t.id, token, "film", "", bytes.NewReader(content), plenty); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		got, err := io.ReadAll(t.open(t.id, 1, "film"))
		if err != nil || len(got) != 200_000 || len(bytes.Trim(got, string(got[:1]))) > 0 {
			t.Errorf("%d bytes, not all alike, %v", len(got), err)
		}
		for n := range 8 {
			t.wantContent(int64(10+n), "film", bytes.Repeat([]byte{byte('a' + n)}, 200_000))
		}
	}},
	{"an ended context ends putting", func(t *artifactTest) {
		ctx, cancel := context.WithCancel(t.ctx)
		endless := readerFunc(func(p []byte) (int, error) { cancel(); return len(p), nil })
		_, err := t.store.Put(ctx, t.id, 1, "film", "", endless, 1<<40)
		expectEnded(t.T, "Put", err)
		t.wantAbsent(t.id, 1, "film")
	}},
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
