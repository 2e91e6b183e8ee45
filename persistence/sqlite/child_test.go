package sqlite_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
	"github.com/meta-ad-studio/troupe/persistence/sqlite"
	"github.com/meta-ad-studio/troupe/persistence/storetest"
)

// The test binary is its own child process: the variables say what it is to do, and on which file.
const (
	roleVariable = "SQLITE_TEST_ROLE"
	pathVariable = "SQLITE_TEST_PATH"

	roleOpen   = "open"   // opens the file and says what came of it
	roleAccept = "accept" // accepts jobs without end, and prints each id when it is acknowledged
	roleClaim  = "claim"  // claims all that waits, prints each id and stays
)

func start(t *testing.T, role, path string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), roleVariable+"="+role, pathVariable+"="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewScanner(out)
}

func child(role string) int {
	ctx := context.Background()
	db, err := sqlite.Open(ctx, os.Getenv(pathVariable))
	if err != nil {
		fmt.Println(err)
		return 1
	}
	switch role {
	case roleOpen:
		fmt.Println("opened")
	case roleAccept:
		acceptForever(ctx, db)
	case roleClaim:
		claims, err := db.Inbox().Claim(ctx, "films", "gone", persistence.Ask{Max: persistence.MaxBatch, Lease: time.Hour})
		if err != nil {
			fmt.Println(err)
			return 1
		}
		for _, c := range claims {
			fmt.Println(c.ID)
		}
		fmt.Println("claimed")
		select {}
	}
	return 0
}

// acceptForever uses both doors at once, each by several callers, so that groups have several requests.
func acceptForever(ctx context.Context, db *sqlite.DB) {
	var print sync.Mutex
	for worker := range 16 {
		go func() {
			rng := rand.New(rand.NewPCG(rand.Uint64(), uint64(worker)))
			for {
				j := newJob(rng)
				door := "store"
				var err error
				if worker%2 == 0 {
					door = "inbox"
					_, err = db.Inbox().Enqueue(ctx, "films", []persistence.Entry{{ID: j.ID, Life: 1, Envelope: []byte(`{}`)}})
				} else {
					_, err = db.Store().Commit(ctx, []persistence.Write{write(j)})
				}
				if err != nil {
					panic(err)
				}
				print.Lock()
				fmt.Println(door, j.ID)
				print.Unlock()
			}
		}()
	}
	select {}
}

func newJob(rng *rand.Rand) job.Job {
	now := time.Now()
	return job.New(job.Spec{
		ID: storetest.NewID(rng, now), Kind: "video.generate", Queue: "films", Priority: 1, Policy: job.DefaultPolicy(),
		Payload: []byte(`{"prompt": "a red bicycle in the rain, seen from above", "imageUrl": "https://example.org/a.png", "provider": "local"}`),
	}, now)
}

func write(j job.Job) persistence.Write {
	return persistence.Write{Job: j, History: []job.Transition{j.FirstTransition()}}
}

func TestAcknowledgedJobsSurviveKill(t *testing.T) {
	const rounds, perRound = 5, 400
	path := filepath.Join(t.TempDir(), "troupe.db")
	rng := storetest.Random(t)
	var inInbox, inStore []job.ID
	for round := range rounds {
		cmd, out := start(t, roleAccept, path)
		killAfter := perRound + rng.IntN(perRound)
		for lines := 0; out.Scan(); lines++ {
			if lines == killAfter {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
			door, text, _ := strings.Cut(out.Text(), " ")
			id, err := job.ParseID(text)
			if err != nil {
				continue // the line that the kill cut
			}
			if door == "inbox" {
				inInbox = append(inInbox, id)
			} else {
				inStore = append(inStore, id)
			}
		}
		if err := cmd.Wait(); err == nil {
			t.Fatal("the child ended by itself")
		}
		verifyAll(t, path, inInbox, inStore)
		t.Logf("round %d: %d jobs in the inbox and %d in the store were acknowledged, and are there", round+1, len(inInbox), len(inStore))
	}
}

func verifyAll(t *testing.T, path string, inInbox, inStore []job.ID) {
	t.Helper()
	db, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	for len(inInbox) > 0 {
		n := min(len(inInbox), persistence.MaxBatch)
		known, err := db.Inbox().Known(t.Context(), "films", inInbox[:n])
		if err != nil {
			t.Fatal(err)
		}
		for i, ok := range known {
			if !ok {
				t.Errorf("job %s was acknowledged and is lost", inInbox[i])
			}
		}
		inInbox = inInbox[n:]
	}
	records, err := db.Store().Get(t.Context(), inStore)
	if err != nil {
		t.Fatal(err)
	}
	if len(records) != len(inStore) {
		t.Errorf("%d of %d acknowledged rows are there", len(records), len(inStore))
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestOneProcessHasTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "troupe.db")
	db := open(t, path)
	want := fmt.Sprintf("%s is in use by another troupe process (pid %s)", path, strconv.Itoa(os.Getpid()))
	cmd, out := start(t, roleOpen, path)
	if out.Scan(); out.Text() != want {
		t.Errorf("the second process says %q, want %q", out.Text(), want)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("the second process opened the file")
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	cmd, out = start(t, roleOpen, path)
	if out.Scan(); out.Text() != "opened" {
		t.Errorf("after the first has closed it, the second says %q", out.Text())
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

func TestLeasesOfADeadProcessAreReapedAtOnce(t *testing.T) {
	const jobs = 7
	path := filepath.Join(t.TempDir(), "troupe.db")
	rng := storetest.Random(t)
	db, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	var entries []persistence.Entry
	for range jobs {
		entries = append(entries, persistence.Entry{ID: storetest.NewID(rng, time.Now()), Life: 1, Envelope: []byte(`{}`)})
	}
	if _, err := db.Inbox().Enqueue(t.Context(), "films", entries); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	cmd, out := start(t, roleClaim, path)
	for out.Scan() && out.Text() != "claimed" {
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()

	inbox := open(t, path).Inbox()
	if depth, err := inbox.Depth(t.Context(), "films"); err != nil || depth.Leased != jobs {
		t.Fatalf("depth %+v, %v: want %d leased", depth, err, jobs)
	}
	reaped, err := inbox.Reap(t.Context(), "films", persistence.MaxBatch)
	if err != nil || len(reaped) != jobs {
		t.Fatalf("reaped %d, %v: want %d at once", len(reaped), err, jobs)
	}
	claims, err := inbox.Claim(t.Context(), "films", "node", persistence.Ask{Max: persistence.MaxBatch, Lease: time.Hour})
	if err != nil || len(claims) != jobs {
		t.Fatalf("claimed %d, %v: want %d", len(claims), err, jobs)
	}
	for n, c := range claims {
		if c.ID != entries[n].ID || c.Crashes != 1 || c.Token != 2 {
			t.Errorf("claim %d is job %s with token %d and %d crashes, want %s, 2 and 1", n, c.ID, c.Token, c.Crashes, entries[n].ID)
		}
	}
}
