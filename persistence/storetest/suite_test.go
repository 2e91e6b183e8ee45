package storetest_test

import (
	"bytes"
	"os"
	"os/exec"
	"testing"

	"go.uber.org/goleak"

	"github.com/meta-ad-studio/troupe/persistence"
	"github.com/meta-ad-studio/troupe/persistence/reference"
	"github.com/meta-ad-studio/troupe/persistence/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// faultVariable makes the references err in one way: the suite must find it.
const faultVariable = "STORETEST_FAULT"

func TestInbox(t *testing.T) {
	open := func(*testing.T) persistence.Inbox { return reference.NewInbox(os.Getenv(faultVariable)) }
	storetest.Inbox(t, open,
		storetest.InboxPeer(func(_ *testing.T, in persistence.Inbox) persistence.Inbox { return in }),
		storetest.InboxLoss(func(_ *testing.T, in persistence.Inbox) { in.(*reference.Inbox).Lose() }),
	)
}

// findsFault runs a suite in a process of its own, on a reference with a fault, and wants it to fail.
func findsFault(t *testing.T, suite, fault string) {
	t.Run(fault, func(t *testing.T) {
		if testing.Short() {
			t.Skip("a whole run of the suite for each fault")
		}
		t.Parallel()
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), self, "-test.run", "^"+suite+"$", "-test.failfast", "-rapid.nofailfile", "-rapid.shrinktime=0s")
		cmd.Env = append(os.Environ(), faultVariable+"="+fault)
		out, err := cmd.CombinedOutput()
		if err == nil {
			t.Errorf("%s passes although: %s", suite, fault)
		} else if !bytes.Contains(out, []byte("--- FAIL")) {
			t.Errorf("%s did not run: %v\n%s", suite, err, out)
		}
		if testing.Verbose() {
			for line := range bytes.Lines(out) {
				if bytes.Contains(line, []byte("    --- FAIL")) {
					t.Logf("%s", bytes.TrimSpace(line))
				}
			}
		}
	})
}

func TestStore(t *testing.T) {
	storetest.Store(t, func(*testing.T) persistence.Store { return reference.NewStore(os.Getenv(faultVariable)) })
}

func TestMembers(t *testing.T) {
	open := func(*testing.T) (*reference.Members, func() persistence.Members) {
		list := reference.NewMembers(os.Getenv(faultVariable))
		return list, func() persistence.Members { return list }
	}
	storetest.Members(t, func(t *testing.T) func() persistence.Members {
		_, join := open(t)
		return join
	}, storetest.MembersStall(func(t *testing.T) (join func() persistence.Members, stall func() (resume func())) {
		list, join := open(t)
		return join, func() func() {
			list.Away(true)
			return func() { list.Away(false) }
		}
	}))
}

func TestMembersFaultsAreFound(t *testing.T) {
	for _, fault := range []string{
		"judges after a pause", "no bound", "epochs of nothing", "the first silence stands", "the buried are forgotten", "the fallen can't leave",
	} {
		findsFault(t, "TestMembers", fault)
	}
}

func TestStoreFaultsAreFound(t *testing.T) {
	for _, fault := range []string{
		"no fence", "equal tokens of any node", "terminal is open", "repeats are refused", "history of refused writes", "history twice",
		"times to the millisecond", "JSON is tidied", "keys are not checked", "cancel outlives a life", "the last word stands", "last page has a next", "prune takes live",
		"what is not due waits", "large payloads are listed", "groups of all that ended", "payloads are matched as text", "lines of anybody", "lines twice", "output without end", "log without end", "gaps are not told",
		"incarnations repeat",
	} {
		findsFault(t, "TestStore", fault)
	}
}

func TestInboxFaultsAreFound(t *testing.T) {
	for _, fault := range []string{
		"enqueue replaces", "keys are not bound", "cancel is told once", "any node", "return to the back", "crashes are not counted", "reap to the back",
		"due to the front", "remove takes leased", "no limit", "parked for anybody", "the leases of anybody", "a walk goes by count",
	} {
		findsFault(t, "TestInbox", fault)
	}
}
