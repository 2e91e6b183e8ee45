package kubernetes

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/meta-ad-studio/troupe/persistence"
)

const (
	requestTimeout = 3 * time.Second
	requestTries   = 3
	maxRetryAfter  = 2 * time.Second // what the server may have one call wait; more, and the caller asks again by itself
	maxAnswer      = 64 << 20
	maxReason      = 300 // bytes of an error's text
)

// Answers that the callers tell apart.
var (
	errConflict = errors.New("conflict")
	errExists   = errors.New("already exists")
	errGone     = errors.New("gone")
)

// verb is how Kubernetes' access rules name a request.
type verb struct{ name, method string }

var (
	get    = verb{"get", http.MethodGet}
	list   = verb{"list", http.MethodGet}
	create = verb{"create", http.MethodPost}
	update = verb{"update", http.MethodPut}
	patch  = verb{"patch", http.MethodPatch}
	remove = verb{"delete", http.MethodDelete}
)

// ask sends one request about Leases and reads the answer into into, if that is not nil. It waits and asks again if the server says
// that it is busy, and once with credentials read anew if it refuses these.
func (m *Members) ask(ctx context.Context, v verb, name string, query url.Values, body, into any) error {
	var data []byte
	if body != nil {
		var err error
		if data, err = json.Marshal(body); err != nil {
			return fmt.Errorf("%w: %w", persistence.ErrInvalid, err)
		}
	}
	for try := 1; ; try++ {
		again, wait, err := m.once(ctx, v, name, query, data, into)
		if err == nil {
			return nil
		}
		if !again || try == requestTries || !pause(ctx, wait) {
			return fmt.Errorf("kubernetes: %s lease %s: %w", v.name, name, err)
		}
	}
}

func pause(ctx context.Context, wait time.Duration) bool {
	select {
	case <-time.After(wait):
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

func (m *Members) once(ctx context.Context, v verb, name string, query url.Values, data []byte, into any) (again bool, wait time.Duration, err error) {
	if err := ctx.Err(); err != nil {
		return false, 0, err
	}
	client, token, err := m.credentials.now()
	if err != nil {
		return false, 0, fmt.Errorf("%w: %w", persistence.ErrUnavailable, err)
	}
	limited, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(limited, v.method, m.url(name, query), bytes.NewReader(data))
	if err != nil {
		return false, 0, fmt.Errorf("%w: %w", persistence.ErrInvalid, err)
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", "troupe")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	switch {
	case v == patch:
		request.Header.Set("Content-Type", "application/merge-patch+json")
	case data != nil:
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := client.Do(request)
	if err != nil {
		if ended := ctx.Err(); ended != nil {
			return false, 0, ended
		}
		return false, 0, fmt.Errorf("%w: %w", persistence.ErrUnavailable, err)
	}
	defer response.Body.Close()
	m.clock.told(response.Header.Get("Date"))
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return false, 0, fmt.Errorf("%w: read the answer: %w", persistence.ErrUnavailable, err)
	}
	if response.StatusCode/100 == 2 {
		if into == nil {
			return false, 0, nil
		}
		if err := json.Unmarshal(answer, into); err != nil {
			return false, 0, fmt.Errorf("%w: read the answer: %w", persistence.ErrUnavailable, err)
		}
		return false, 0, nil
	}
	return m.refusal(v, response, answer)
}

func (m *Members) url(name string, query url.Values) string {
	text := m.config.URL + "/apis/coordination.k8s.io/v1/namespaces/" + url.PathEscape(m.config.Namespace) + "/leases"
	if name != "" {
		text += "/" + url.PathEscape(name)
	}
	if len(query) > 0 {
		text += "?" + query.Encode()
	}
	return text
}

// refusal maps an answer that is no success.
func (m *Members) refusal(v verb, response *http.Response, answer []byte) (again bool, wait time.Duration, err error) {
	var status struct {
		Reason  string `json:"reason"`
		Message string `json:"message"`
	}
	if json.Unmarshal(answer, &status) != nil || status.Message == "" {
		status.Message = string(answer)
	}
	said := fmt.Sprintf("%d %s: %.*q", response.StatusCode, status.Reason, maxReason, status.Message)
	switch response.StatusCode {
	case http.StatusNotFound:
		return false, 0, fmt.Errorf("%w: %s", persistence.ErrNotFound, said)
	case http.StatusConflict:
		if status.Reason == "AlreadyExists" {
			return false, 0, fmt.Errorf("%w: %s", errExists, said)
		}
		return false, 0, fmt.Errorf("%w: %s", errConflict, said)
	case http.StatusGone:
		return false, 0, fmt.Errorf("%w: %s", errGone, said)
	case http.StatusUnauthorized:
		m.credentials.refused()
		return true, 0, fmt.Errorf("%w: the API server does not know the service account's token: %s", persistence.ErrUnavailable, said)
	case http.StatusForbidden:
		return false, 0, fmt.Errorf("%w: the service account may not %q leases.coordination.k8s.io in the namespace %s; its role needs get, list, create, update, patch and delete: %s",
			persistence.ErrUnavailable, v.name, m.config.Namespace, said)
	case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusRequestEntityTooLarge:
		return false, 0, fmt.Errorf("%w: %s", persistence.ErrInvalid, said)
	}
	busy := response.StatusCode == http.StatusTooManyRequests || response.StatusCode >= 500
	wait = 100 * time.Millisecond
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil && seconds >= 0 {
		wait = time.Duration(seconds) * time.Second
	}
	return busy && wait <= maxRetryAfter, wait, fmt.Errorf("%w: %s", persistence.ErrUnavailable, said)
}
