package fencemodel

import (
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
)

// result is what a walk found.
type result struct {
	states    int
	edges     int
	violation string
	trace     []string
	happened  map[string]bool // the labels of all steps that led to a new state
}

// walk visits every state that can be reached, breadth first, and stops at the first violation, whose trace is then one of the
// shortest. When there is none it holds the steps that are no faults to their promise: they form no cycle, and where none is left the
// job is done. So from every state that faults can lead to, the job comes to its end by itself, whatever the order of steps.
func walk(p *protocol) result {
	w := &walker{seen: newIndex(), labels: map[string]uint16{}}
	w.add(p.first(), -1, "a job is accepted")
	for at := int32(0); int(at) < len(w.seen.states); at++ {
		current := w.seen.states[at]
		w.starts = append(w.starts, len(w.normal))
		var failed *edge
		p.steps(&current, func(e edge) {
			w.edges++
			if p.violation != "" {
				if failed == nil {
					failed = &e
				}
				return
			}
			to := w.add(e.next, at, e.label)
			if !e.fault {
				w.normal = append(w.normal, to)
			}
		})
		if failed != nil {
			return w.result(p.violation, at, line(failed.label, &failed.next))
		}
		if len(w.normal) == w.starts[at] && !current.done() {
			return w.result("P-notlost: nothing is left to happen, and the job is not done", at)
		}
	}
	w.starts = append(w.starts, len(w.normal))
	if at, cycle := w.cycle(); cycle {
		return w.result("P-notlost: steps without a fault go round in a circle", at)
	}
	return w.result("", -1)
}

// walker is a walk under way.
type walker struct {
	seen   *index
	parent []int32
	label  []uint16
	names  []string
	labels map[string]uint16
	edges  int
	starts []int   // of each state's part of normal
	normal []int32 // where the steps lead that are no faults
}

func (w *walker) add(s state, from int32, label string) int32 {
	at, fresh := w.seen.add(s)
	if fresh {
		number, known := w.labels[label]
		if !known {
			number = uint16(len(w.names))
			w.labels[label], w.names = number, append(w.names, label)
		}
		w.parent, w.label = append(w.parent, from), append(w.label, number)
	}
	return at
}

func (w *walker) result(violation string, at int32, more ...string) result {
	var lines []string
	for ; at >= 0; at = w.parent[at] {
		lines = append(lines, line(w.names[w.label[at]], &w.seen.states[at]))
	}
	slices.Reverse(lines)
	happened := map[string]bool{}
	for _, name := range w.names {
		happened[name] = true
	}
	return result{happened: happened, states: len(w.seen.states), edges: w.edges, violation: violation, trace: append(lines, more...)}
}

func line(label string, s *state) string { return fmt.Sprintf("%-64s %s", label, s) }

// cycle finds a state on, or behind, a cycle of normal steps, by taking away states into which no step leads until none is left.
func (w *walker) cycle() (int32, bool) {
	into := make([]int32, len(w.seen.states))
	for _, to := range w.normal {
		into[to]++
	}
	var free []int32
	for at, n := range into {
		if n == 0 {
			free = append(free, int32(at))
		}
	}
	taken := 0
	for ; len(free) > 0; taken++ {
		at := free[len(free)-1]
		free = free[:len(free)-1]
		for _, to := range w.normal[w.starts[at]:w.starts[at+1]] {
			if into[to]--; into[to] == 0 {
				free = append(free, to)
			}
		}
	}
	at := slices.IndexFunc(into, func(n int32) bool { return n > 0 })
	return int32(at), taken < len(into)
}

// index numbers states in the order of their coming. It compares them whole: no state is taken for another.
type index struct {
	seed   maphash.Seed
	states []state
	table  []int32 // open addressing: the state's number and one
}

func newIndex() *index { return &index{seed: maphash.MakeSeed(), table: make([]int32, 1<<12)} }

func (x *index) add(s state) (at int32, fresh bool) {
	if 2*len(x.states) >= len(x.table) {
		x.table = make([]int32, 4*len(x.table))
		for at := range x.states {
			*x.slot(&x.states[at]) = int32(at) + 1
		}
	}
	slot := x.slot(&s)
	if *slot == 0 {
		x.states = append(x.states, s)
		*slot = int32(len(x.states))
		return *slot - 1, true
	}
	return *slot - 1, false
}

func (x *index) slot(s *state) *int32 {
	mask := uint64(len(x.table) - 1)
	for at := maphash.Comparable(x.seed, *s) & mask; ; at = (at + 1) & mask {
		if slot := &x.table[at]; *slot == 0 || x.states[*slot-1] == *s {
			return slot
		}
	}
}

func (r result) String() string {
	if r.violation == "" {
		return fmt.Sprintf("%d states, %d steps: all hold", r.states, r.edges)
	}
	return fmt.Sprintf("%s (after %d states, %d steps long)\n  %s", r.violation, r.states, len(r.trace)-1, strings.Join(r.trace, "\n  "))
}
