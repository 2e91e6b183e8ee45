package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
)

type enqueueCmd struct {
	client
	Kind        string        `arg:"" help:"Kind of job: selects the handler."`
	Payload     string        `help:"What the handler gets: JSON, @FILE, or - for standard input." default:"{}" placeholder:"JSON"`
	Queue       string        `help:"Queue; without, the kind's own." placeholder:"NAME"`
	Priority    *int          `help:"0 is first, 3 is last; 1 if not given." placeholder:"N"`
	Delay       time.Duration `help:"How long from now it is due." placeholder:"DURATION"`
	MaxAttempts int           `help:"How often it may fail before it is a dead letter." placeholder:"N"`
	Backoff     time.Duration `help:"The longest wait after the first failure; later ones double." placeholder:"DURATION"`
	Timeout     time.Duration `help:"How long one attempt may run." placeholder:"DURATION"`
	Key         string        `help:"Idempotency key: the same key makes no second job." placeholder:"TEXT"`
	Tag         []string      `help:"Tags to find it by." placeholder:"NAME"`
	Wait        bool          `help:"Follow the job to its end; the exit status is 0 only if it completes."`
	JSON        bool          `help:"Print JSON: the job, and with --wait a line for each change." name:"json"`
}

// Help says more than the flags do.
func (c *enqueueCmd) Help() string {
	return `The job's id is printed as soon as the job is safe.

  troupe enqueue video.generate --payload '{"prompt":"Sunrise over the sea"}' --wait
  troupe enqueue report.daily --payload @report.json --key report-2026-01-02
  echo '{"ms":500}' | troupe enqueue sample.sleep --payload - --delay 10s`
}

// Run submits the job.
func (c *enqueueCmd) Run(ctx context.Context, o output) error {
	payload, err := readPayload(c.Payload, os.Stdin)
	if err != nil {
		return err
	}
	body := map[string]any{"kind": c.Kind, "payload": payload}
	if c.Queue != "" {
		body["queue"] = c.Queue
	}
	if c.Priority != nil {
		body["priority"] = *c.Priority
	}
	if c.MaxAttempts != 0 {
		body["max_attempts"] = c.MaxAttempts
	}
	for field, span := range map[string]time.Duration{"delay": c.Delay, "backoff": c.Backoff, "timeout": c.Timeout} {
		if span != 0 {
			body[field] = span.String()
		}
	}
	if len(c.Tag) > 0 {
		body["tags"] = c.Tag
	}
	header := http.Header{}
	if c.Key != "" {
		header.Set("Idempotency-Key", c.Key)
	}
	var made job.View
	said, err := c.do(ctx, call{method: http.MethodPost, path: "/v1/jobs", body: body, header: header}, &made)
	if err != nil {
		return err
	}
	if said.header.Get("Idempotent-Replayed") == "true" {
		fmt.Fprintln(o.err, "this key was used before: this is the job it made then")
	}
	if c.JSON {
		err = printJSON(o.out, said.body)
	} else {
		_, err = fmt.Fprintln(o.out, made.ID)
	}
	if err != nil || !c.Wait {
		return err
	}
	last, err := watch(ctx, o, &c.client, made.ID, c.JSON)
	if err == nil && last.Status != job.Completed {
		err = fmt.Errorf("job %s: %s", made.ID, ending(last))
	}
	return err
}

// readPayload reads JSON from the argument itself, from a file or from standard input.
func readPayload(given string, stdin io.Reader) (json.RawMessage, error) {
	data := []byte(given)
	name, isFile := strings.CutPrefix(given, "@")
	var err error
	switch {
	case given == "-":
		data, err = readBounded(stdin)
	case isFile:
		data, err = readFile(name)
	}
	if err != nil {
		return nil, fmt.Errorf("--payload: %w", err)
	}
	var payload json.RawMessage
	if err := json.Unmarshal(data, &payload); err != nil {
		return nil, fmt.Errorf("--payload: not JSON: %s (text needs quotes of its own: '\"text\"')", oneLine(err))
	}
	return payload, nil
}

func readFile(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return readBounded(file)
}

// readBounded reads a little more than a payload may have, so that spaces do not count before the node has seen them.
func readBounded(r io.Reader) ([]byte, error) {
	const most = 4 * job.MaxPayload
	data, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && len(data) > most {
		err = errors.New("larger than any payload may be")
	}
	return data, err
}
