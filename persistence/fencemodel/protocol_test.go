package fencemodel

import (
	"fmt"
	"strings"

	"github.com/meta-ad-studio/troupe/persistence"
)

// protocol is the system under the walk: its rules, one of which a mutant breaks, and the bounds of the walk.
type protocol struct {
	core        *core
	maxAttempts uint8
	maxCrashes  uint8
	limits      faults
	claimLimit  uint8  // P-bound
	checkpoints uint8  // how many checkpoints a handler may leave: further writes of a claim
	request     string // what the API may ask once: "", cancel, hasten or redrive
	refusal     verb   // what a refused holder does with a lease under a token that is not new: rebase or giveBack

	// The rules. Mutants replace them.
	admits        func(row, write persistence.Fence) bool
	inForceByTime bool // a write that repeats the row's fence is in force only if it was made at the row's time
	settleFirst   bool // settle before the commit
	noFloor       bool // a refilled job begins with token 0 again
	lifeResets    bool // a later life replaces the earlier in the inbox with its own token, although that may be smaller
	sameName      bool // a node that starts again has its old name
	oneName       bool // two actors of the job live under one name
	unread        bool // a handler begins from the envelope, whatever the token
	endEarly      bool // an actor that lost its lease ends although the journal still has its writes

	only      string // the property to look for; empty for all
	violation string
	maxGap    uint8 // how far the inbox's token was behind the row's at a refusal
	maxClaims uint8
}

func (p *protocol) violated(format string, args ...any) {
	if p.violation == "" && strings.HasPrefix(format, p.only) {
		p.violation = fmt.Sprintf(format, args...)
	}
}

// edge is one step of the system. A fault is bounded and need not happen; what is no fault happens sooner or later.
type edge struct {
	label string
	fault bool
	next  state
}

func (p *protocol) first() state {
	s := state{accepting: true, inbox: inbox{place: waiting, life: 1}}
	s.nodes[0].name, s.nodes[1].name = 1, 2
	if p.oneName {
		s.nodes[1].name = 1
	}
	return s
}

// steps calls visit with every step that can be taken.
func (p *protocol) steps(s *state, visit func(edge)) {
	normal := func(label string, change func(n *state)) {
		n := *s
		change(&n)
		if n != *s {
			visit(edge{label, false, n})
		}
	}
	fault := func(label string, used, limit uint8, change func(n *state)) {
		if used < limit {
			n := *s
			change(&n)
			visit(edge{label, true, n})
		}
	}
	p.inboxSteps(s, normal, fault)
	p.apiSteps(s, normal, fault)
	for i := range s.nodes {
		p.nodeSteps(s, i, normal, fault)
	}
	if s.accepting {
		normal("A commits the accepted row", func(n *state) {
			n.accepting = false
			p.commit(n, p.core.fresh())
		})
	}
	if s.late.exists() {
		fault("a late write lands", 0, 1, func(n *state) {
			n.late = record{}
			p.commit(n, s.late)
		})
	}
}

type (
	normalStep func(label string, change func(n *state))
	faultStep  func(label string, used, limit uint8, change func(n *state))
)
