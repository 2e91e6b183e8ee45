//go:build unix

package main

import (
	"bufio"
	"encoding/json"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/actors/kinds/sample"
)

// handlerRun is one run of a handler, as the handler told it.
type handlerRun struct {
	job        job.ID
	token      int64
	node       string
	start, end time.Time // end is zero while it runs, or if its process died
	err        string
}

// journalOfHandlers is what all handlers of all nodes have told: the ledger's own record, which goes through nothing that is under test.
type journalOfHandlers struct {
	path string
	mu   sync.Mutex
	runs map[job.ID][]*handlerRun // in the order of their starts
	bad  string                   // what was told and can't be
}

func startJournal(t testing.TB, dir string) *journalOfHandlers {
	t.Helper()
	w := &journalOfHandlers{path: filepath.Join(dir, "witness"), runs: map[job.ID][]*handlerRun{}}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: w.path, Net: "unix"})
	if err != nil {
		t.Fatalf("listen to handlers: %v", err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer conn.Close()
				for lines := bufio.NewScanner(conn); lines.Scan(); {
					w.hear(lines.Bytes())
				}
			})
		}
	})
	t.Cleanup(func() { _ = l.Close(); all.Wait() }) // the nodes have ended by now
	return w
}

func (w *journalOfHandlers) hear(text []byte) {
	var told sample.Witnessed
	err := json.Unmarshal(text, &told)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.bad = err.Error()
		return
	}
	if !told.Ended {
		w.runs[told.Job] = append(w.runs[told.Job], &handlerRun{job: told.Job, token: told.Token, node: told.Node, start: told.At})
		return
	}
	for _, r := range w.runs[told.Job] {
		if r.token == told.Token && r.end.IsZero() {
			r.end, r.err = told.At, told.Error
			return
		}
	}
	w.bad = "an end without a start: " + string(text)
}

// of is a copy of a job's runs.
func (w *journalOfHandlers) of(id job.ID) []handlerRun {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []handlerRun
	for _, r := range w.runs[id] {
		all = append(all, *r)
	}
	return all
}

// running says who runs a job now: the newest of its runs that has not ended.
func (w *journalOfHandlers) running(id job.ID) (node string, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := w.runs[id]
	if len(all) == 0 || !all[len(all)-1].end.IsZero() {
		return "", false
	}
	return all[len(all)-1].node, true
}

// done says whether some run of a job has returned without an error.
func (w *journalOfHandlers) done(id job.ID) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.runs[id] {
		if !r.end.IsZero() && r.err == "" {
			return true
		}
	}
	return false
}

// lostLease says whether a handler was told that its job is no longer the node's.
func (w *journalOfHandlers) lostLease(id job.ID, token int64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.ContainsFunc(w.runs[id], func(r *handlerRun) bool {
		return r.token == token && strings.Contains(r.err, actors.ErrLeaseLost.Error())
	})
}
