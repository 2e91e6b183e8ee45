package job

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// edge is one status and one event; the diagram says which statuses may follow.
type edge struct {
	from  Status
	event string
}

// drawnEdges reads the diagram in the package's document.
func drawnEdges(t *testing.T) map[edge][]Status {
	t.Helper()
	source, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^//\t(\w+)\s+-- (\w+)\s+--> (.+)$`)
	drawn := map[edge][]Status{}
	for _, m := range line.FindAllStringSubmatch(string(source), -1) {
		from, err := ParseStatus(m[1])
		if err != nil {
			t.Fatalf("doc.go: %s: %v", m[0], err)
		}
		e := edge{from, m[2]}
		if drawn[e] != nil {
			t.Errorf("doc.go: %v is drawn twice", e)
		}
		for name := range strings.SplitSeq(m[3], ", ") {
			to, err := ParseStatus(name)
			if err != nil {
				t.Fatalf("doc.go: %s: %v", m[0], err)
			}
			drawn[e] = append(drawn[e], to)
		}
		slices.Sort(drawn[e])
	}
	return drawn
}

// exploredEdges asks the code, over every status, event and deciding parameter.
func exploredEdges() (found map[edge][]Status, pairs int) {
	found = map[edge][]Status{}
	tried := map[edge]bool{}
	for _, from := range Statuses {
		for _, j := range jobsIn(from) {
			for _, e := range eventsFor(j) {
				at := edge{from, Name(e)}
				tried[at] = true
				next, _, err := j.Apply(e, noon.Add(time.Second))
				if err == nil && !slices.Contains(found[at], next.Status) {
					found[at] = append(found[at], next.Status)
				}
			}
		}
	}
	for _, to := range found {
		slices.Sort(to)
	}
	return found, len(tried)
}

func TestDiagramIsTheCode(t *testing.T) {
	drawn := drawnEdges(t)
	found, pairs := exploredEdges()
	if want := len(Statuses) * 11; pairs != want {
		t.Fatalf("tried %d pairs of status and event, want %d", pairs, want)
	}
	all := maps.Clone(drawn)
	maps.Copy(all, found)
	for e := range all {
		if !slices.Equal(drawn[e], found[e]) {
			t.Errorf("%s -- %s: doc.go draws %v, the code allows %v", e.from, e.event, drawn[e], found[e])
		}
	}
	t.Logf("%d edges of %d pairs", len(found), pairs)
}

// Every refusal names why, in an error that a caller can match, and hands back the job as it was.
func TestRefusals(t *testing.T) {
	refusals := map[string]error{}
	for _, from := range Statuses {
		for _, j := range jobsIn(from) {
			for _, e := range eventsFor(j) {
				_, transition, err := j.Apply(e, noon.Add(time.Second))
				if err == nil {
					continue
				}
				if transition != nil {
					t.Errorf("%s while %s: refused with a transition", Name(e), from)
				}
				key := fmt.Sprintf("%s while %s", Name(e), from)
				for _, known := range []error{ErrTerminal, ErrNotAllowed, ErrStale, ErrUnchanged, ErrLimit} {
					if errors.Is(err, known) {
						refusals[key] = known
					}
				}
				if refusals[key] == nil {
					t.Errorf("%s: %v wraps no known refusal", key, err)
				}
			}
		}
	}
	for _, from := range Statuses {
		for _, event := range []string{"Progressed", "Checkpointed", "ArtifactStored", "Succeeded", "AttemptFailed", "Snoozed", "Released"} {
			want := ErrNotAllowed
			if from.Terminal() {
				want = ErrTerminal
			} else if from.Running() {
				continue
			}
			if got := refusals[event+" while "+from.String()]; got != want {
				t.Errorf("%s while %s: %v, want %v", event, from, got, want)
			}
		}
	}
	for pair, want := range map[string]error{
		"Claimed while processing": ErrStale, "Claimed while completed": ErrTerminal, "CancelRequested while cancelling": ErrUnchanged,
		"CancelRequested while cancelled": ErrTerminal, "Hastened while queued": ErrUnchanged, "Hastened while processing": ErrNotAllowed,
		"Redriven while completed": ErrNotAllowed, "Redriven while queued": ErrNotAllowed,
	} {
		if refusals[pair] != want {
			t.Errorf("%s: %v, want %v", pair, refusals[pair], want)
		}
	}
}
