package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/meta-ad-studio/troupe/actors"
)

// batchAnswer answers a batch: one item per submission, in order.
type batchAnswer struct {
	Accepted int         `json:"accepted"`
	Refused  int         `json:"refused"`
	Items    []batchItem `json:"items"`
	Stream   *streamLink `json:"stream,omitempty"` // of all that were accepted, if few topics name them
}

type batchItem struct {
	Status     int       `json:"status"`
	Job        *accepted `json:"job,omitempty"`
	Durability string    `json:"durability,omitempty"`
	Replayed   bool      `json:"replayed,omitempty"`
	Problem    *problem  `json:"problem,omitempty"`
}

// submitBatch is POST /v1/jobs/batch. A batch with an item that can't be read is refused whole, before anything is submitted.
// After that each item has its own answer.
func (h *Handler) submitBatch(w http.ResponseWriter, r *http.Request) error {
	body, err := readBody(w, r, maxBatchBody)
	if err != nil {
		return err
	}
	items, err := splitBatch(body)
	if err != nil {
		return err
	}
	key, err := idempotencyKey(r)
	if err != nil {
		return err
	}
	orders, err := readOrders(items, key)
	if err != nil {
		return err
	}
	submissions := make([]actors.Submission, len(orders))
	for i, o := range orders {
		if submissions[i], err = o.submission(exchangeOf(r).principal, time.Now()); err != nil {
			return err
		}
	}
	done, errs := h.node.SubmitAll(r.Context(), submissions)
	return h.answerBatch(w, r, orders, done, errs)
}

// readOrders reads every item, so that one answer names all that is wrong.
func readOrders(items []json.RawMessage, key string) ([]order, error) {
	orders := make([]order, len(items))
	var wrong []itemError
	for i, item := range items {
		o, err := readOrder(item, "", true)
		if err == nil && o.key == "" && key != "" {
			o.key = fmt.Sprintf("%s#%d", key, i)
			err = checkKey(o.key)
		}
		if err != nil && len(wrong) < maxErrors {
			wrong = append(wrong, itemError{i, problemOf(err).Detail})
		}
		orders[i] = o
	}
	if len(wrong) > 0 {
		return nil, &refusal{code: "invalid", detail: fmt.Sprintf("item %d: %s", wrong[0].Index, wrong[0].Detail), errors: wrong}
	}
	return orders, nil
}

// splitBatch takes a JSON array, or one object a line.
func splitBatch(body []byte) ([]json.RawMessage, error) {
	body = bytes.TrimSpace(body)
	if err := checkDepth(body); err != nil {
		return nil, err
	}
	var items []json.RawMessage
	if bytes.HasPrefix(body, []byte("[")) {
		if err := json.Unmarshal(body, &items); err != nil {
			return nil, refuse("bad_request", "the body is not JSON: %s", err)
		}
	} else {
		for line := range bytes.Lines(body) {
			if line = bytes.TrimSpace(line); len(line) > 0 {
				items = append(items, line)
			}
		}
	}
	switch {
	case len(items) == 0:
		return nil, refuse("invalid", "an empty batch: want a JSON array of submissions, or one a line")
	case len(items) > maxBatch:
		return nil, refuse("too_large", "%d items, at most %d", len(items), maxBatch)
	}
	return items, nil
}

// answerBatch is 202 when all were accepted. When the node could take none for a reason that will pass, the whole request failed so;
// otherwise 207, and each item says.
func (h *Handler) answerBatch(w http.ResponseWriter, r *http.Request, orders []order, done []actors.Accepted, errs []error) error {
	a := batchAnswer{Items: make([]batchItem, len(orders))}
	passing := 0
	for i := range orders {
		if errs[i] != nil {
			p := problemOf(explain(errs[i], orders[i]))
			if p.Status >= 500 {
				passing++
			}
			a.Refused++
			a.Items[i] = batchItem{Status: p.Status, Problem: &p}
			continue
		}
		view := viewOf(&done[i])
		a.Accepted++
		a.Items[i] = batchItem{Status: http.StatusAccepted, Job: &view, Durability: done[i].Durability, Replayed: done[i].Repeated}
	}
	if passing == len(orders) {
		return errs[0]
	}
	var err error
	if a.Stream, err = h.linkToAll(exchangeOf(r).principal, done, errs); err != nil {
		return err
	}
	status := http.StatusAccepted
	if a.Refused > 0 {
		status = http.StatusMultiStatus
	}
	return answer(w, status, a)
}

// linkToAll is where to watch what was accepted: by the batches that the jobs are of, or one by one. Nil if it takes too many topics.
func (h *Handler) linkToAll(principal string, done []actors.Accepted, errs []error) (*streamLink, error) {
	var topics []actors.Topic
	for i := range done {
		if errs[i] != nil {
			continue
		}
		topic := actors.Topic{Kind: actors.TopicBatch, Value: done[i].Job.Batch}
		if topic.Value == "" {
			topic = actors.Topic{Kind: actors.TopicJob, Value: done[i].Job.ID.String()}
		}
		if !slices.Contains(topics, topic) {
			if len(topics) == maxGrantTopics {
				return nil, nil
			}
			topics = append(topics, topic)
		}
	}
	if len(topics) == 0 {
		return nil, nil
	}
	query := url.Values{}
	for _, t := range topics {
		query.Add("topic", t.String())
	}
	link, err := h.linkTo("/v1/stream?"+query.Encode(), principal, topics...)
	return &link, err
}
