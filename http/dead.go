package httpapi

import (
	"bytes"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// listDead is GET /v1/dead: jobs that failed, by the filters of GET /v1/jobs.
func (h *Handler) listDead(w http.ResponseWriter, r *http.Request) error {
	params, err := readParams(r)
	if err != nil {
		return err
	}
	q, err := readFilter(params, deadParams)
	if err != nil {
		return err
	}
	q.Statuses = []job.Status{job.Failed}
	page, err := h.node.List(r.Context(), q)
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, pageOf(page))
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
	return answer(w, http.StatusOK, done)
}

// purgeDead is DELETE /v1/dead: each match is removed, with its history.
func (h *Handler) purgeDead(w http.ResponseWriter, r *http.Request) error {
	q, dryRun, err := readBulk(w, r)
	if err != nil {
		return err
	}
	matched, err := h.node.PurgeDead(r.Context(), q, dryRun)
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, struct {
		Matched int  `json:"matched"` // and removed, unless it is a dry run
		DryRun  bool `json:"dry_run,omitempty"`
	}{matched, dryRun})
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
	q, err = readFilter(params, selecting)
	q.Statuses = []job.Status{job.Failed}
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
