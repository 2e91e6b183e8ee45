package httpapi

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// jobPage is one page of a list.
type jobPage struct {
	Jobs    []jobRow  `json:"jobs"`
	Next    string    `json:"next,omitempty"`    // the cursor of the next page
	Scan    *scanView `json:"scan,omitempty"`    // of a list by filters
	Missing []job.ID  `json:"missing,omitempty"` // ids that name no job
}

// jobRow is a job in a list: without checkpoint and large results, and without payload unless that was asked for.
type jobRow struct {
	job.View
	PayloadOmitted bool `json:"payload_omitted,omitempty"` // it was asked for, and is too large for a list
}

// scanView says how far a list has looked.
type scanView struct {
	Complete bool      `json:"complete"`         // false: it stopped before the page was full; next goes on
	BackTo   time.Time `json:"back_to,omitzero"` // of the oldest job looked at, if it is not complete
}

// get is GET /v1/jobs/{id}. The version is the ETag: a poll that finds nothing new costs no body.
func (h *Handler) get(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	j, err := h.node.Get(r.Context(), id)
	if err != nil {
		return err
	}
	if unchanged(w, r, `"`+strconv.FormatInt(j.Rev, 10)+`"`) {
		return nil
	}
	return answer(w, http.StatusOK, j.FullView())
}

// list is GET /v1/jobs: a page by filters, or the jobs of ?ids=, in that order.
func (h *Handler) list(w http.ResponseWriter, r *http.Request) error {
	params, err := readParams(r)
	if err != nil {
		return err
	}
	grant := exchangeOf(r).grant
	ids, ok := params["ids"]
	if grant != nil && !ok {
		return refuse("forbidden", "a stream token reads jobs by their ids only: ?ids=")
	}
	if ok {
		if len(params) > 1 {
			return refuse("invalid", "ids: not together with filters")
		}
		return h.poll(w, r, ids, grant)
	}
	q, err := readFilter(params, listParams)
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

func pageOf(page persistence.Page) jobPage {
	p := jobPage{Jobs: make([]jobRow, len(page.Jobs)), Scan: &scanView{Complete: !page.Cut}}
	for i := range page.Jobs {
		j, row := &page.Jobs[i], &p.Jobs[i]
		row.View = j.View()
		row.Payload = j.Payload
		row.PayloadOmitted = slices.Contains(page.Omitted, j.ID)
		if row.Error != nil {
			row.Error.Message = shortMessage(row.Error.Message)
		}
	}
	if !page.Next.IsZero() {
		p.Next = page.Next.String()
	}
	if page.Cut {
		p.Scan.BackTo = page.Next.Time()
	}
	return p
}

// shortMessage is as much of a failure's message as a list shows.
func shortMessage(message string) string {
	if len(message) <= maxMessage {
		return message
	}
	return strings.ToValidUTF8(message[:maxMessage], "") + "…"
}

// poll is for clients that can't keep a stream open. The ETag covers the version of every job asked for.
// A job that the grant does not show is missing like one that is not there.
func (h *Handler) poll(w http.ResponseWriter, r *http.Request, values []string, g *grant) error {
	ids, err := readIDs(values)
	if err != nil {
		return err
	}
	jobs, err := h.jobs(r.Context(), ids)
	if err != nil {
		return err
	}
	page, hash := jobPage{Jobs: []jobRow{}}, sha256.New()
	for i, j := range jobs {
		if j == nil || g != nil && !g.showsJob(j) {
			page.Missing = append(page.Missing, ids[i])
			fmt.Fprintf(hash, "%s -\n", ids[i])
			continue
		}
		page.Jobs = append(page.Jobs, jobRow{View: j.View()})
		fmt.Fprintf(hash, "%s %d\n", j.ID, j.Rev)
	}
	if unchanged(w, r, `"`+hex.EncodeToString(hash.Sum(nil)[:16])+`"`) {
		return nil
	}
	return answer(w, http.StatusOK, page)
}

// history is GET /v1/jobs/{id}/events.
func (h *Handler) history(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	lines, err := h.node.History(r.Context(), id)
	if err != nil {
		return err
	}
	if lines == nil {
		lines = []job.Transition{}
	}
	return answer(w, http.StatusOK, map[string]any{"id": id, "events": lines})
}
