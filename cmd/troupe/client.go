package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// client is how a command reaches a node.
type client struct {
	Server string `help:"Node to talk to: http://HOST:PORT." env:"TROUPE_SERVER" default:"http://127.0.0.1:8080" placeholder:"URL" group:"server"`
	Token  string `help:"Bearer token; better given by the environment, where other users of the machine can't see it." env:"TROUPE_TOKEN" placeholder:"SECRET" group:"server"`
}

// Bounds of one call. Bulk actions may take the node up to two minutes.
const (
	callTimeout = 150 * time.Second
	maxAnswer   = 64 << 20 // bytes: a page of jobs with their results
)

// call is one request. Query, body and header may be nil; a body is sent as JSON.
type call struct {
	method, path string
	query        url.Values
	body         any
	header       http.Header
}

// answer is what a node said to a call.
type answer struct {
	body   json.RawMessage
	header http.Header
}

// do makes a call and reads its answer into value, unless that is nil. A refusal is a *refusal.
func (c *client) do(ctx context.Context, call call, value any) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	response, err := c.send(ctx, call)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return answer{}, fmt.Errorf("read the answer of %s: %w", c.Server, err)
	case len(body) > maxAnswer:
		return answer{}, fmt.Errorf("the answer of %s is larger than %d bytes", c.Server, maxAnswer)
	case value == nil || len(body) == 0:
		return answer{body, response.Header}, nil
	}
	if err := json.Unmarshal(body, value); err != nil {
		return answer{}, fmt.Errorf("%s does not answer as a node of troupe does: %w", c.Server, err)
	}
	return answer{body, response.Header}, nil
}

// send makes a call and gives back its response with a status below 300, whose body the caller closes.
func (c *client) send(ctx context.Context, call call) (*http.Response, error) {
	base, err := url.Parse(c.Server)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, fmt.Errorf("--server %q: want http://HOST:PORT", c.Server)
	}
	target := base.JoinPath(call.path)
	target.RawQuery = call.query.Encode()
	var body io.Reader
	if call.body != nil {
		data, err := json.Marshal(call.body)
		if err != nil {
			return nil, fmt.Errorf("encode the request: %w", err)
		}
		body = bytes.NewReader(data)
	}
	request, err := http.NewRequestWithContext(ctx, call.method, target.String(), body)
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	for name, values := range call.header {
		request.Header[name] = values
	}
	request.Header.Set("User-Agent", "troupe "+version())
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if c.Token != "" {
		request.Header.Set("Authorization", "Bearer "+c.Token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, c.unreachable(err)
	}
	if response.StatusCode >= 300 {
		defer response.Body.Close()
		return nil, readRefusal(response)
	}
	return response, nil
}

func (c *client) unreachable(err error) error {
	if failed, ok := errors.AsType[*url.Error](err); ok {
		err = failed.Err
	}
	if errors.Is(err, context.Canceled) {
		return err
	}
	return &unreachable{server: c.Server, cause: err}
}

// unreachable: nobody answered.
type unreachable struct {
	server string
	cause  error
}

// Error is fit for the person who typed the command.
func (e *unreachable) Error() string {
	return fmt.Sprintf("can't reach %s: %s", e.server, reason(e.cause))
}

func (e *unreachable) Unwrap() error { return e.cause }

// refusal is a problem that a node answered with (RFC 9457).
type refusal struct {
	Title   string   `json:"title"`
	Status  int      `json:"status"`
	Detail  string   `json:"detail"`
	Code    string   `json:"code"`
	Differs []string `json:"differs"`
}

// Error is what a person needs of it.
func (e *refusal) Error() string {
	text := e.Title
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	if len(e.Differs) > 0 {
		text += "; different: " + strings.Join(e.Differs, ", ")
	}
	if e.Status == http.StatusUnauthorized {
		text += " (give --token, or set TROUPE_TOKEN)"
	}
	return printable(text)
}

// maxProblem bounds how much of a refusal is read.
const maxProblem = 64 << 10

func readRefusal(response *http.Response) error {
	body, _ := io.ReadAll(io.LimitReader(response.Body, maxProblem)) // a part says more than nothing
	media, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	refused := &refusal{}
	if media != "application/problem+json" || json.Unmarshal(body, refused) != nil || refused.Title == "" {
		*refused = refusal{Title: "the server answers " + response.Status}
	}
	refused.Status = response.StatusCode
	return refused
}
