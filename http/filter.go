package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// readParams parses the query, and refuses one that is malformed instead of dropping a part of it: a filter that loses a
// condition selects too much.
func readParams(r *http.Request) (url.Values, error) {
	params, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, refuse("bad_request", "the query can't be read")
	}
	return params, nil
}

// A filter is read from queries and, in bulk actions, from bodies. One reader a parameter serves both.
type filterParam func(q *persistence.Query, value string) error

// selectingNames are those that a search has as qualifiers.
var selectingNames = map[string]filterParam{
	"kind":        filterName(func(q *persistence.Query) *string { return &q.Kind }),
	"queue":       filterName(func(q *persistence.Query) *string { return &q.Queue }),
	"owner":       filterName(func(q *persistence.Query) *string { return &q.Owner }),
	"tag":         filterName(func(q *persistence.Query) *string { return &q.Tag }),
	"group":       filterName(func(q *persistence.Query) *string { return &q.Group }),
	"batch":       filterName(func(q *persistence.Query) *string { return &q.Batch }),
	"fingerprint": filterName(func(q *persistence.Query) *string { return &q.Fingerprint }),
}

var selecting = union(selectingNames, map[string]filterParam{
	"q":    readSearch,
	"text": addText,
	"from": filterTime(narrowFrom),
	"to":   filterTime(narrowTo),
})

var paging = map[string]filterParam{
	"cursor": func(q *persistence.Query, value string) (err error) {
		q.Before, err = job.ParseID(value)
		return err
	},
	"limit": func(q *persistence.Query, value string) (err error) {
		if q.Limit, err = strconv.Atoi(value); err != nil || q.Limit < 1 || q.Limit > persistence.MaxPage {
			return fmt.Errorf("want 1 to %d", persistence.MaxPage)
		}
		return nil
	},
	"fields": func(q *persistence.Query, value string) error {
		if q.Payloads = value == "payload"; !q.Payloads {
			return fmt.Errorf("%.40q: want payload, or leave it out", value)
		}
		return nil
	},
}

var (
	deadParams = union(selecting, paging)
	listParams = union(deadParams, map[string]filterParam{"status": addStatuses})
)

// addStatuses adds those of a list: a job is in one of them.
func addStatuses(q *persistence.Query, value string) error {
	for name := range strings.SplitSeq(value, ",") {
		status, err := job.ParseStatus(name)
		if err != nil {
			return err
		}
		if !slices.Contains(q.Statuses, status) {
			q.Statuses = append(q.Statuses, status)
		}
	}
	return nil
}

func addText(q *persistence.Query, value string) error {
	text, err := cleanText(value)
	q.Texts = append(q.Texts, text)
	return err
}

// cleanText is a text that stores can look for.
func cleanText(value string) (string, error) {
	if len(value) > maxText {
		return "", fmt.Errorf("%d bytes, at most %d", len(value), maxText)
	}
	return strings.ToValidUTF8(strings.ReplaceAll(value, "\x00", ""), "\uFFFD"), nil
}

func union(all ...map[string]filterParam) map[string]filterParam {
	sum := map[string]filterParam{}
	for _, one := range all {
		maps.Copy(sum, one)
	}
	return sum
}

var errTwice = errors.New("given more than once")

func filterName(field func(*persistence.Query) *string) filterParam {
	return func(q *persistence.Query, value string) error {
		if *field(q) != "" {
			return errTwice
		}
		*field(q) = value
		return checkName(value)
	}
}

func filterTime(narrow func(*persistence.Query, time.Time)) filterParam {
	return func(q *persistence.Query, value string) error {
		t, err := time.Parse(time.RFC3339Nano, value)
		if err != nil {
			return fmt.Errorf("%.40q: want a time such as 2026-01-02T15:04:05Z", value)
		}
		narrow(q, t)
		return nil
	}
}

// readFilter makes a query of parameters. Every parameter must be known; only status may be repeated.
func readFilter(params url.Values, known map[string]filterParam) (persistence.Query, error) {
	var q persistence.Query
	for _, key := range slices.Sorted(maps.Keys(params)) {
		read, ok := known[key]
		if !ok {
			return q, refuse("invalid", "unknown parameter %.80q; known are %s", key, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		}
		if len(params[key]) > 1 && key != "status" {
			return q, refuse("invalid", "%s: given more than once", key)
		}
		for _, value := range params[key] {
			if err := read(&q, value); err != nil {
				return q, refuse("invalid", "%s: %s", key, err)
			}
		}
	}
	return q, nil
}

// filterFields reads the same filters from a body. What was set is noted in params, for readFilter.
func filterFields(params url.Values) fields {
	known := fields{}
	for key := range selecting {
		known[key] = func(raw json.RawMessage) error {
			var value string
			if err := text(&value, maxBody)(raw); err != nil {
				return err
			}
			params[key] = append(params[key], value)
			return nil
		}
	}
	return known
}

// readIDs reads the ids of ?ids=a,b,c.
func readIDs(values []string) ([]job.ID, error) {
	var ids []job.ID
	for text := range strings.SplitSeq(strings.Join(values, ","), ",") {
		id, err := job.ParseID(text)
		if err != nil {
			return nil, refuse("invalid", "ids: %s", err)
		}
		if len(ids) == maxPollIDs {
			return nil, refuse("too_large", "ids: at most %d", maxPollIDs)
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}
