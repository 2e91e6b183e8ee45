package main

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// pageOf builds the page of the TypeScript packages' tests with a React, and answers what serves it below /page/.
func pageOf(t *testing.T, react string) http.Handler {
	t.Helper()
	packages := filepath.Join("..", "..", "http", "client", "typescript")
	if _, err := os.Stat(filepath.Join(packages, "node_modules", "vite")); err != nil {
		t.Skip("the packages' tools are not installed: make client does that")
	}
	for _, sources := range []string{"client/src", "react/src", "test/page"} { // looked at, so that go test runs again when they have changed
		err := filepath.WalkDir(filepath.Join(packages, filepath.FromSlash(sources)), func(path string, _ os.DirEntry, err error) error {
			if err == nil {
				_, err = os.Stat(path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	folder := t.TempDir()
	command := exec.CommandContext(t.Context(), "node", filepath.Join(packages, "test", "page", "build.mjs"), folder, react)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("build the page: %v\n%s", err, out)
	}
	return http.StripPrefix("/page/", http.FileServer(http.Dir(folder)))
}

// told is what the page of the packages' tests was told.
type told struct {
	React     string
	Mounts    map[string]int
	Completed []struct {
		ID     string
		Run    int
		Status string
	}
	States []struct {
		ID           string
		Rev          int64
		Run, Attempt int
		Pct          float64
		Status       string
	}
	Phases []string
}

func (p *tab) told() told {
	p.t.Helper()
	var all told
	if err := json.Unmarshal([]byte(tabAsk[string](p, `JSON.stringify(seen)`)), &all); err != nil {
		p.t.Fatal(err)
	}
	return all
}

// ordered makes sure that no job went back: no rev is older than the one before, and within an attempt no percentage.
func (a told) ordered(t *testing.T) {
	t.Helper()
	type key struct {
		id           string
		run, attempt int
	}
	revs, percents := map[string]int64{}, map[key]float64{}
	for _, s := range a.States {
		if s.Rev <= revs[s.ID] {
			t.Errorf("job %s went from rev %d to %d", s.ID, revs[s.ID], s.Rev)
		}
		k := key{s.ID, s.Run, s.Attempt}
		if s.Pct < percents[k] {
			t.Errorf("job %s went from %g to %g percent within attempt %d", s.ID, percents[k], s.Pct, s.Attempt)
		}
		revs[s.ID], percents[k] = s.Rev, s.Pct
	}
}

// ended counts how often the end of a run was told.
func (a told) ended(id string, run int) (times int, status string) {
	for _, c := range a.Completed {
		if c.ID == id && c.Run == run {
			times, status = times+1, c.Status
		}
	}
	return times, status
}
