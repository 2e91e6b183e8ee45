package storetest_test

import (
	"bytes"
	"flag"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"testing"

	"go.uber.org/goleak"

	"github.com/meta-ad-studio/troupe/persistence"
	"github.com/meta-ad-studio/troupe/persistence/reference"
	"github.com/meta-ad-studio/troupe/persistence/storetest"
)

func TestMain(m *testing.M) {
	_ = flag.Set("test.parallel", "8") // what runs at once waits more than it computes
	goleak.VerifyTestMain(m)
}

// faultVariable makes the references err in one way: the suite must find it.
const faultVariable = "STORETEST_FAULT"

func TestInbox(t *testing.T) {
	open := func(*testing.T) persistence.Inbox { return reference.NewInbox(os.Getenv(faultVariable)) }
	storetest.Inbox(t, open,
		storetest.InboxPeer(func(_ *testing.T, in persistence.Inbox) persistence.Inbox { return in }),
		storetest.InboxLoss(func(_ *testing.T, in persistence.Inbox) { in.(*reference.Inbox).Lose() }),
	)
}

// findsFaults runs the case that is to find each fault, in a process of its own, on a reference with that fault, and wants it to fail.
func findsFaults(t *testing.T, suite string, cases map[string]string) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range slices.Sorted(maps.Keys(cases)) {
		t.Run(fault, func(t *testing.T) {
			if testing.Short() {
				t.Skip("a process for each fault")
			}
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), self, "-test.run", "^"+suite+"$/^"+regexp.QuoteMeta(cases[fault])+"$", "-rapid.nofailfile", "-rapid.shrinktime=0s")
			cmd.Env = append(os.Environ(), faultVariable+"="+fault)
			out, err := cmd.CombinedOutput()
			if err == nil {
				t.Errorf("%q passes although: %s\n%s", cases[fault], fault, out)
			} else if !bytes.Contains(out, []byte("    --- FAIL")) {
				t.Errorf("%q did not run: %v\n%s", cases[fault], err, out)
			}
		})
	}
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
	findsFaults(t, "TestMembers", map[string]string{
		"judges after a pause":     "after a time without the list nobody falls who lives",
		"no bound":                 "the list has a bound",
		"epochs of nothing":        "the epoch changes when a member comes, goes or is another, and then only",
		"the first silence stands": "each member has its own silence, which its last beat says",
		"the buried are forgotten": "who was buried is told so, too",
		"the fallen can't leave":   "who leaves after its death is not among the fallen",
	})
}

func TestStoreFaultsAreFound(t *testing.T) {
	findsFaults(t, "TestStore", map[string]string{
		"no fence":                     "a stale token changes nothing and learns the row's fence",
		"equal tokens of any node":     "of two nodes under one token the first to write has it for good",
		"terminal is open":             "a life that ended stays ended, also under a greater token",
		"repeats are refused":          "a repeated write is in force and changes nothing",
		"history of refused writes":    "a stale token changes nothing and learns the row's fence",
		"history twice":                "a repeated write is in force and changes nothing",
		"times to the millisecond":     "a job goes through its lives",
		"JSON is tidied":               "JSON is kept to the byte",
		"keys are not checked":         "a key that another job holds refuses the write alone and names the job",
		"cancel outlives a life":       "word to cancel does not reach into the next life",
		"the last word stands":         "the first word to cancel stands",
		"last page has a next":         "pages follow each other and the last one says so",
		"prune takes live":             "pruning removes jobs that ended before the time, some at a time",
		"what is not due waits":        "what waits is claimable, of the queue, and in the order of claims",
		"large payloads are listed":    "payloads are listed if they are asked for and small",
		"groups of all that ended":     "dead letters are grouped by fingerprint and kind",
		"payloads are matched as text": "a payload matches by what it says, however it is written",
		"lines of anybody":             "lines of an overtaken claim are refused",
		"lines twice":                  "appending again changes nothing",
		"output without end":           "an output refuses what does not fit, and keeps the rest",
		"log without end":              "a log keeps its newest 4 MiB",
		"gaps are not told":            "a log keeps its newest 10,000 lines",
		"incarnations repeat":          "each incarnation is greater than the one before",
	})
}

func TestInboxFaultsAreFound(t *testing.T) {
	findsFaults(t, "TestInbox", map[string]string{
		"enqueue replaces":        "an entry known in the same or a later life is left as it is",
		"keys are not bound":      "a key that another job holds refuses the entry and names the job",
		"cancel is told once":     "random commands do what the model does",
		"any node":                "renewing says held, lost or forgotten, in order",
		"return to the back":      "restoring puts back what is forgotten, and nothing else",
		"crashes are not counted": "only ended leases are reaped, to the front, with the crash counted",
		"reap to the back":        "only ended leases are reaped, to the front, with the crash counted",
		"due to the front":        "a job whose time has come goes to the back of its priority",
		"remove takes leased":     "removing forgets what waits or is delayed and leaves what is leased",
		"no limit":                "a claim gives no more than bring the queue to its limit, whoever holds the leases",
		"parked for anybody":      "a parked job waits for who can take it, and has lost nothing",
		"the leases of anybody":   "a dead node's jobs come to the front, in order, with the crash counted; others' leases hold",
		"a walk goes by count":    "a walk meets all that the node holds from its first call to its last",
	})
}
