package httpapi

import (
	"bytes"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// listDead is GET /v1/dead: jobs that failed, by the filters of GET /v1/jobs.
func (h *Handler) listDead(w http.ResponseWriter, r *http.Request) error {
	params, err := readParams(r)
	if err != nil {
		return err
	}
	q, err := readDead(params, deadParams)
	if err != nil {
		return err
	}
	q.Bounded = true
	page, err := h.node.List(r.Context(), q)
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, pageOf(page))
}

// readDead is readFilter for dead letters: there is no other status.
func readDead(params url.Values, known map[string]filterParam) (persistence.Query, error) {
	q, err := readFilter(params, known)
	if err == nil && slices.ContainsFunc(q.Statuses, func(s job.Status) bool { return s != job.Failed }) {
		err = refuse("invalid", "status: dead letters are all failed")
	}
	q.Statuses = []job.Status{job.Failed}
	return q, err
}

// groupView is dead letters of one kind that failed alike.
type groupView struct {
	Fingerprint string    `json:"fingerprint"`
	Kind        string    `json:"kind"`
	Queue       string    `json:"queue,omitempty"` // unless they are of several
	Code        string    `json:"code"`
	Message     string    `json:"message"`
	Count       int       `json:"count"`
	Capped      bool      `json:"capped"` // there may be more than count
	First       time.Time `json:"first"`
	Last        time.Time `json:"last"`
	Sample      []job.ID  `json:"sample"`
}

// deadGroups is GET /v1/dead/groups.
func (h *Handler) deadGroups(w http.ResponseWriter, r *http.Request) error {
	params, err := readParams(r)
	if err != nil {
		return err
	}
	q, err := readDead(params, selecting)
	if err != nil {
		return err
	}
	groups, err := h.node.DeadGroups(r.Context(), q)
	if err != nil {
		return err
	}
	views := make([]groupView, len(groups.Groups))
	for i, g := range groups.Groups {
		views[i] = groupView{g.Fingerprint, g.Kind, g.Queue, g.Code, shortMessage(g.Message), g.Count, !groups.Complete, g.First, g.Last, g.Sample}
	}
	return answer(w, http.StatusOK, map[string]any{"groups": views, "complete": groups.Complete})
}

// redriveDead is POST /v1/dead/redrive: each match gets a new life.
func (h *Handler) redriveDead(w http.ResponseWriter, r *http.Request) error {
	q, dryRun, err := readBulk(w, r)
	if err != nil {
		return err
	}
	done, err := h.node.RedriveDead(r.Context(), q, exchangeOf(r).principal, dryRun)
	if err != nil {
		return err
	}
	return answerBulk(w, done, "redriven", dryRun)
}

// purgeDead is DELETE /v1/dead: each match is removed, with its history.
func (h *Handler) purgeDead(w http.ResponseWriter, r *http.Request) error {
	q, dryRun, err := readBulk(w, r)
	if err != nil {
		return err
	}
	done, err := h.node.PurgeDead(r.Context(), q, dryRun)
	if err != nil {
		return err
	}
	return answerBulk(w, done, "deleted", dryRun)
}

// answerBulk says what was done, or would be.
func answerBulk(w http.ResponseWriter, b actors.Bulk, verb string, dryRun bool) error {
	if dryRun {
		return answer(w, http.StatusOK, map[string]any{
			"matched": b.Matched, "capped": b.Capped, "sample": pageOf(persistence.Page{Jobs: b.Sample}).Jobs, "dry_run": true,
		})
	}
	return answer(w, http.StatusOK, map[string]any{"matched": b.Matched, verb: b.Done, "more": b.More})
}

// readBulk reads whom an action in bulk concerns, from the query or the body, not both. To concern everybody takes a
// word: all.
func readBulk(w http.ResponseWriter, r *http.Request) (q persistence.Query, dryRun bool, err error) {
	params, err := readParams(r)
	if err != nil {
		return q, false, err
	}
	body, err := readBody(w, r, maxBody)
	if err != nil {
		return q, false, err
	}
	var all bool
	if body = bytes.TrimSpace(body); len(body) > 0 {
		if len(params) > 0 {
			return q, false, refuse("invalid", "give the filter in the query or in the body, not in both")
		}
		known := filterFields(params)
		known["dry_run"], known["all"] = flag(&dryRun), flag(&all)
		if err := readObject(body, "", known); err != nil {
			return q, false, err
		}
	} else {
		for name, dst := range map[string]*bool{"dry_run": &dryRun, "all": &all} {
			if *dst, err = takeFlag(params, name); err != nil {
				return q, false, err
			}
		}
	}
	if len(params) == 0 && !all {
		return q, false, refuse("invalid", "give at least one of %v, or all=true", slices.Sorted(maps.Keys(selecting)))
	}
	if len(params) > 0 && all {
		return q, false, refuse("invalid", "all: not together with a filter")
	}
	q, err = readDead(params, selecting)
	return q, dryRun, err
}

// takeFlag reads a boolean parameter and takes it out.
func takeFlag(params url.Values, name string) (bool, error) {
	values, ok := params[name]
	if !ok {
		return false, nil
	}
	delete(params, name)
	value, err := strconv.ParseBool(values[0])
	if err != nil || len(values) > 1 {
		return false, refuse("invalid", "%s: want true or false, once", name)
	}
	return value, nil
}
