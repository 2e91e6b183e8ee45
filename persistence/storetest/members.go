package storetest

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/meta-ad-studio/troupe/persistence"
)

// Members runs the suite on the lists that open gives: each empty, and with what opens another handle on it, as another node would,
// closed by the test's cleanup. The cases run at once.
func Members(t *testing.T, open func(t *testing.T) (join func() persistence.Members), options ...MembersOption) {
	var o membersOptions
	for _, option := range options {
		option(&o)
	}
	run := func(name string, open func(t *testing.T) func() persistence.Members, run func(*membersTest)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			join := open(t)
			run(&membersTest{T: t, ctx: testContext(t), join: join, a: join(), b: join()})
		})
	}
	for _, part := range [][]membersCase{listCasesOfMembers, deathCases, wordCases, boundCases} {
		for _, c := range part {
			run(c.name, open, c.run)
		}
	}
	if o.kill != nil {
		run("a member whose process is killed falls", open, func(mt *membersTest) { killedMember(mt, o.kill, o.fallsWithin) })
	}
	if o.stall != nil {
		var stall func() (resume func())
		run("after a time without the list nobody falls who lives", func(t *testing.T) (join func() persistence.Members) {
			join, stall = o.stall(t)
			return join
		}, func(mt *membersTest) { stalledList(mt, stall) })
	}
}

// MembersOption tells the suite what else a driver can show.
type MembersOption func(*membersOptions)

type membersOptions struct {
	kill        func(t *testing.T, m persistence.Members)
	fallsWithin time.Duration
	stall       func(t *testing.T) (join func() persistence.Members, stall func() (resume func()))
}

// MembersKill ends a handle as the kernel ends those of a process that is killed, without a word. The member must fall within the time,
// however long it may be silent.
func MembersKill(kill func(t *testing.T, m persistence.Members), within time.Duration) MembersOption {
	return func(o *membersOptions) { o.kill, o.fallsWithin = kill, within }
}

// MembersStall opens a list that can be made to answer nobody for a while.
func MembersStall(open func(t *testing.T) (join func() persistence.Members, stall func() (resume func()))) MembersOption {
	return func(o *membersOptions) { o.stall = open }
}

type membersCase struct {
	name string
	run  func(*membersTest)
}

// membersTest is one subtest's hold on a list: its methods fail the test on any error.
type membersTest struct {
	*testing.T
	ctx  context.Context
	join func() persistence.Members
	a, b persistence.Members
}

// brief is the shortest silence, and beatEvery how often a member beats that must not fall.
const (
	brief     = persistence.MinSilence
	beatEvery = 100 * time.Millisecond
)

func (t *membersTest) check(err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (t *membersTest) beat(on persistence.Members, m persistence.Member, silence time.Duration) persistence.Roll {
	t.Helper()
	roll, err := on.Beat(t.ctx, m, silence)
	t.check(err)
	return roll
}

func (t *membersTest) list(on persistence.Members) []persistence.Member {
	t.Helper()
	all, err := on.List(t.ctx)
	t.check(err)
	return all
}

// names are those on the list.
func (t *membersTest) names() []string {
	t.Helper()
	var names []string
	for _, m := range t.list(t.b) {
		names = append(names, m.Name)
	}
	return names
}

func (t *membersTest) fallen() []persistence.Fallen {
	t.Helper()
	all, err := t.b.Fallen(t.ctx)
	t.check(err)
	return all
}

// fallenNames are those declared dead, in the order of the answer.
func (t *membersTest) fallenNames() []string {
	t.Helper()
	var names []string
	for _, f := range t.fallen() {
		names = append(names, f.Name)
	}
	return names
}

func (t *membersTest) want(what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// until polls, and beats for the given members between, as nodes do that live.
func (t *membersTest) until(what string, yes func() bool, living ...persistence.Member) {
	t.Helper()
	var last time.Time
	eventually(t, what, func() bool {
		if time.Since(last) >= beatEvery {
			last = time.Now()
			for _, m := range living {
				t.beat(t.b, m, long)
			}
		}
		return yes()
	})
}

// keeps wants the condition to hold for a while, in which the given members beat.
func (t *membersTest) keeps(what string, while time.Duration, holds func() bool, living ...persistence.Member) {
	t.Helper()
	began := time.Now()
	t.until(what, func() bool {
		if !holds() {
			t.Fatalf("after %s no longer: %s", time.Since(began), what)
		}
		return time.Since(began) > while
	}, living...)
}

func member(name string) persistence.Member {
	return persistence.Member{
		Name: name, Incarnation: 7, Address: "10.0.0.1:8091", Started: time.Date(2026, 3, 4, 12, 30, 5, 678_901_000, time.UTC),
		Info: json.RawMessage(`{"queues":["films"],"note":"“quoted” 🎬"}`),
	}
}

// unseen is the list without the times of the last beats.
func unseen(all []persistence.Member) []persistence.Member {
	for i := range all {
		all[i].Seen = time.Time{}
	}
	return all
}
