package fencemodel

import (
	"fmt"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// record is a job as small as the walk needs it. The zero record is no job.
type record struct {
	life, status, token, seq uint8 // seq is the rev within its token
	node                     uint8 // see nodeName; 0 is nobody
	attempts, crashes        uint8
	claim                    uint8 // ghost: number of the claim that speaks; 0 for the API. It also stands for the time of a write.
}

func (r record) exists() bool        { return r.status != 0 }
func (r record) is() job.Status      { return job.Status(r.status) }
func (r record) terminal() bool      { return r.exists() && r.is().Terminal() }
func (r record) rev() int64          { return int64(r.token)*job.RevsPerToken + int64(r.seq) }
func (r record) newer(o record) bool { return r.rev() > o.rev() }

func (r record) fence() persistence.Fence {
	return persistence.Fence{Life: int(r.life), Status: r.is(), Token: int64(r.token), Node: nodeName(r.node), Rev: r.rev()}
}

func (r record) String() string {
	if !r.exists() {
		return "-"
	}
	return fmt.Sprintf("%s[life %d token %d seq %d node %q attempts %d crashes %d claim %d]",
		r.is(), r.life, r.token, r.seq, nodeName(r.node), r.attempts, r.crashes, r.claim)
}

// nodeName is the name of an incarnation: 1 and 2 are the first of node A and of node B, 3 and 4 the next, and so on.
func nodeName(n uint8) string {
	return [...]string{"", "A", "B", "A'", "B'", "A''", "B''", "A'''", "B'''"}[n]
}

// place is where the inbox has the job.
type place uint8

const (
	absent place = iota
	waiting
	delayed
	leased
)

func (p place) String() string { return [...]string{"absent", "waiting", "delayed", "leased"}[p] }

// inbox is what Redis holds of the job.
type inbox struct {
	place                       place
	life, token, owner, crashes uint8
}

func (in inbox) String() string {
	if in.place == absent {
		return "absent"
	}
	return fmt.Sprintf("%s[life %d token %d owner %q crashes %d]", in.place, in.life, in.token, nodeName(in.owner), in.crashes)
}

// phase is how far a job actor has come.
type phase uint8

const (
	idle      phase = iota // there is no actor
	claimed                // about to read the row
	running                // the handler runs
	leaving                // its last word waits to be committed
	settling               // committed, or refused: the lease is to be settled
	enqueuing              // gave the job up, and puts it back under the row's token
)

func (p phase) String() string {
	return [...]string{"idle", "claimed", "running", "leaving", "settling", "enqueuing"}[p]
}

// verb is what a settlement does. Rebase is an Ack followed by an Enqueue under the row's token.
type verb uint8

const (
	keep verb = iota
	ack
	delay
	giveBack
	rebase
)

func (v verb) String() string { return [...]string{"keep", "ack", "delay", "return", "rebase"}[v] }

// node is one process: at most one actor of the job, and what its journal has yet to commit.
type node struct {
	name        uint8
	phase       phase
	verb        verb // of settling
	floor       uint8
	lease       uint8
	crashes     uint8 // as the claim told
	claim       uint8 // ghost: number of the claim
	checkpoints uint8
	job         record // as the actor has it
	pending     record // the journal's; coalesced
	pendingVerb verb   // how to settle once that is committed; keep if it is not the last word
}

// actor forgets the actor and keeps the journal.
func (n *node) stop() {
	*n = node{name: n.name, pending: n.pending, pendingVerb: n.pendingVerb}
}

// write hands the actor's state to the journal, which keeps the newest only.
func (n *node) write(v verb) {
	if n.pending.exists() && n.pending.newer(n.job) {
		return
	}
	n.pending, n.pendingVerb = n.job, v
}

// refill is what the reconciler has read from the store and not yet put into the inbox.
type refill struct {
	read                 bool
	life, token, crashes uint8
}

// request is what the API has under way: it speaks for jobs that nobody holds.
type request struct {
	phase uint8 // 0 not yet, 1 read, 2 written, 3 over
	job   record
}

// state is one state of the whole system. It is comparable, and small.
type state struct {
	row       record
	past      uint32 // ghost: claims whose writes the row has had, and has no more
	inbox     inbox
	snapshot  inbox
	nodes     [2]node
	late      record // a write of unknown outcome that may still land
	refill    refill
	api       request
	accepting bool // the accepted row waits to be committed by node A
	claims    uint8
	used      faults
}

// faults counts what went wrong; limits are of the same form.
type faults struct {
	crashes   uint8 // a node dies, with its actor and its journal
	expiries  uint8 // a lease ends although its holder lives
	lost      uint8 // a reply is lost: of a commit that took effect, is yet to take effect, or of a settlement
	again     uint8 // a node claims the job while its own earlier actor lives
	drains    uint8
	snapshots uint8
	rollbacks uint8
	flushes   uint8
}

func (s *state) String() string {
	text := fmt.Sprintf("row %s, inbox %s", s.row, s.inbox)
	for i := range s.nodes {
		if n := &s.nodes[i]; n.phase != idle || n.pending.exists() {
			text += fmt.Sprintf(", %s %s (token %d) pending %s", nodeName(n.name), n.phase, n.lease, n.pending)
		}
	}
	if s.late.exists() {
		text += ", late " + s.late.String()
	}
	return text
}

// done: the row has ended, the inbox has forgotten the job, and nobody has anything more to do.
func (s *state) done() bool {
	if !s.row.terminal() || s.inbox.place != absent || s.accepting || s.refill.read || s.api.phase == 1 || s.api.phase == 2 {
		return false
	}
	for i := range s.nodes {
		if s.nodes[i].phase != idle || s.nodes[i].pending.exists() {
			return false
		}
	}
	return true
}

var (
	modelTime = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	modelID   = job.ID{1}
)

// core applies events with the real rules, and remembers the answers.
type core struct {
	policy job.Policy
	known  map[coreKey]coreAnswer
}

type coreKey struct {
	record record
	event  string
	token  uint8
	node   uint8
	count  uint8
}

type coreAnswer struct {
	record record
	err    error
}

func newCore(maxAttempts, maxCrashes int) *core {
	policy := job.DefaultPolicy()
	policy.MaxAttempts, policy.MaxCrashes = maxAttempts, maxCrashes
	return &core{policy, map[coreKey]coreAnswer{}}
}

// fresh is the job as its envelope has it.
func (c *core) fresh() record {
	j := job.New(job.Spec{ID: modelID, Policy: c.policy}, modelTime)
	return record{life: uint8(j.Life), status: uint8(j.Status), seq: uint8(j.Rev)}
}

// apply is job.Apply on a record, for the claim that speaks.
func (c *core) apply(r record, e job.Event, claim uint8) (record, error) {
	key := coreKey{record: r, event: job.Name(e)}
	key.record.claim = 0
	switch e := e.(type) {
	case job.Claimed:
		key.token, key.count, key.node = uint8(e.Token), uint8(e.Crashes), nameNumber(e.Node)
	case job.CancelRequested:
		key.node = nameNumber(e.Node)
	case job.Hastened:
		key.node = nameNumber(e.Node)
	case job.Redriven:
		key.node = nameNumber(e.Node)
	case job.Progressed, job.Checkpointed, job.ArtifactStored, job.Succeeded, job.AttemptFailed, job.Snoozed, job.Released: // alike but for their names
	}
	answer, ok := c.known[key]
	if !ok {
		j := job.Job{
			ID: modelID, Policy: c.policy, Created: modelTime, Updated: modelTime, RunAt: modelTime,
			Life: int(r.life), Status: r.is(), Token: int64(r.token), Rev: r.rev(), Node: nodeName(r.node),
			Attempts: int(r.attempts), Attempt: int(r.attempts), Crashes: int(r.crashes),
		}
		next, _, err := j.Apply(e, modelTime)
		answer = coreAnswer{record{
			life: uint8(next.Life), status: uint8(next.Status), token: uint8(next.Token), seq: uint8(next.Rev - next.Token*job.RevsPerToken),
			node: nameNumber(next.Node), attempts: uint8(next.Attempts), crashes: uint8(next.Crashes),
		}, err}
		c.known[key] = answer
	}
	answer.record.claim = claim
	return answer.record, answer.err
}

func nameNumber(name string) uint8 {
	for n := range uint8(9) {
		if nodeName(n) == name {
			return n
		}
	}
	panic("no node is called " + name)
}
