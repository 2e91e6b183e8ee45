package job

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite the expected parts of testdata from what the code does")

// A scenario is a text of commands, each followed by a line of dashes and what the job answered. Run the test with -update
// to rewrite the answers, and read the difference. Commands are "new", "at DURATION" (moves the clock to that long after the start), "asked" (word of a
// request to cancel comes to the row), "show" and the names of events; arguments are name=value, with quotes around values that have spaces.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/scenario/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := runScenario(t, string(want))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != string(want) {
				t.Errorf("%s tells another story now (review with -update):\n%s", file, got)
			}
		})
	}
}

type scenario struct {
	job Job
	now time.Time
}

// runScenario answers the text with fresh answers: comments and commands stay, what stood below the dashes is replaced.
func runScenario(t *testing.T, text string) string {
	var out strings.Builder
	s := &scenario{now: noon}
	lines := bufio.NewScanner(strings.NewReader(text))
	inAnswer := false
	for lines.Scan() {
		switch line := lines.Text(); {
		case line == "":
			inAnswer = false
		case inAnswer:
		case line == "----":
			inAnswer = true
		case strings.HasPrefix(line, "#"):
			fmt.Fprintf(&out, "%s\n", line)
		default:
			answer, err := s.do(line)
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			fmt.Fprintf(&out, "%s\n----\n%s\n\n", line, answer)
		}
	}
	return strings.TrimSuffix(out.String(), "\n")
}

func (s *scenario) do(line string) (string, error) {
	command, args, err := parseCommand(line)
	if err != nil {
		return "", err
	}
	switch command {
	case "new":
		spec := sampleSpec()
		spec.Policy.MaxAttempts, spec.Policy.MaxCrashes = args.number("attempts", 3), args.number("crashes", 2)
		if after := args.wait("after"); after != 0 {
			spec.RunAt = s.now.Add(after)
		}
		s.job = New(spec, s.now)
		return s.tell(new(s.job.FirstTransition())), args.left()
	case "at":
		after, err := time.ParseDuration(args.text(""))
		s.now = noon.Add(after)
		return s.now.Format("15:04:05"), errors.Join(err, args.left())
	case "asked":
		if word := NewCancel(args.text("by"), args.text("reason"), s.now); s.job.Cancel == nil && !s.job.Status.Terminal() {
			s.job.Cancel = word
		}
		return s.cancel(), args.left()
	case "show":
		return s.show(), args.left()
	}
	event := args.event(command, s.job)
	if event == nil {
		return "", fmt.Errorf("unknown command %q", command)
	}
	if err := args.left(); err != nil {
		return "", err
	}
	next, told, err := s.job.Apply(event, s.now)
	if err != nil {
		return "refused: " + strings.TrimPrefix(err.Error(), "job "+s.job.ID.String()+": "), nil
	}
	s.job = next
	return s.tell(told), nil
}

// tell is one applied event in one line, as its history has it.
func (s *scenario) tell(line *Transition) string {
	text := fmt.Sprintf("%s rev=%d", s.job.Status, s.job.Rev)
	if line == nil {
		return text + fmt.Sprintf(" %g%% (no history)", s.job.Progress.Percent)
	}
	if line.Attempt > 0 {
		text += fmt.Sprintf(" attempt=%d", line.Attempt)
	}
	if line.Node != "" {
		text += " node=" + line.Node
	}
	if line.Life > 1 {
		text += fmt.Sprintf(" life=%d", line.Life)
	}
	if !line.RunAt.IsZero() {
		text += " run_at=" + line.RunAt.Format("15:04:05.000")
	}
	if line.Note != "" {
		text += fmt.Sprintf(" note=%q", line.Note)
	}
	if line.Failure != nil {
		text += fmt.Sprintf(" failure=%s:%q", line.Failure.Code, line.Failure.Message)
	}
	return text
}

func (s *scenario) show() string {
	j := s.job
	text := fmt.Sprintf("status=%s life=%d token=%d rev=%d node=%s\nattempt=%d attempts=%d/%d crashes=%d/%d progress=%g%% stage=%q note=%q\ncheckpoint=%s result=%s",
		j.Status, j.Life, j.Token, j.Rev, j.Node, j.Attempt, j.Attempts, j.Policy.MaxAttempts, j.Crashes, j.Policy.MaxCrashes,
		j.Progress.Percent, j.Progress.Stage, j.Progress.Note, j.Checkpoint, j.Result)
	if j.Failure != nil {
		text += fmt.Sprintf("\nfailure=%s:%q", j.Failure.Code, j.Failure.Message)
	}
	for _, a := range j.Artifacts {
		text += fmt.Sprintf("\nartifact=%s token=%d bytes=%d", a.Name, a.Token, a.Bytes)
	}
	if !j.Finished.IsZero() {
		text += "\nfinished=" + j.Finished.Format("15:04:05")
	}
	if j.CancelState() != CancelNone {
		text += "\n" + s.cancel()
	}
	return text
}

// cancel is what everybody is shown of a request to cancel.
func (s *scenario) cancel() string {
	v := s.job.View()
	if v.Cancel == nil {
		return "nobody has asked"
	}
	return fmt.Sprintf("cancel=%s by=%s reason=%q at=%s, shown as %s version=%d",
		v.Cancel.State, v.Cancel.By, v.Cancel.Reason, v.Cancel.At.Format("15:04:05"), v.Status, v.Version)
}

// arguments are a command's name=value pairs; each read takes one away, so that a misspelt one is noticed.
type arguments map[string]string

func parseCommand(line string) (string, arguments, error) {
	command, rest, _ := strings.Cut(line, " ")
	args := arguments{}
	for rest = strings.TrimSpace(rest); rest != ""; rest = strings.TrimSpace(rest) {
		name, value, found := strings.Cut(rest, "=")
		if !found || strings.Contains(name, " ") {
			name, value = "", rest
		}
		if quoted, err := strconv.QuotedPrefix(value); err == nil {
			rest = value[len(quoted):]
			if value, err = strconv.Unquote(quoted); err != nil {
				return "", nil, err
			}
		} else {
			value, rest, _ = strings.Cut(value, " ")
		}
		args[name] = value
	}
	return command, args, nil
}

func (a arguments) text(name string) string {
	value := a[name]
	delete(a, name)
	return value
}

func (a arguments) number(name string, otherwise int) int {
	if n, err := strconv.Atoi(a.text(name)); err == nil {
		return n
	}
	return otherwise
}

func (a arguments) wait(name string) time.Duration {
	d, _ := time.ParseDuration(a.text(name))
	return d
}

func (a arguments) json(name string) json.RawMessage {
	if text := a.text(name); text != "" {
		return json.RawMessage(text)
	}
	return nil
}

func (a arguments) left() error {
	for name, value := range a {
		return fmt.Errorf("unknown argument %s=%s", name, value)
	}
	return nil
}

func (a arguments) event(command string, j Job) Event {
	switch command {
	case "Claimed":
		return Claimed{Token: int64(a.number("token", int(j.Token)+1)), Node: a.text("node"), Crashes: a.number("crashes", j.Crashes)}
	case "Progressed":
		return Progressed{Progress{Percent: float64(a.number("pct", 0)), Stage: a.text("stage"), Note: a.text("note")}}
	case "Checkpointed":
		return Checkpointed{a.json("data")}
	case "ArtifactStored":
		return ArtifactStored{Artifact{Name: a.text("name"), Bytes: int64(a.number("bytes", 0)), Token: j.Token}}
	case "Succeeded":
		return Succeeded{a.json("result")}
	case "AttemptFailed":
		e := AttemptFailed{Permanent: a.text("permanent") == "yes", RetryAfter: a.wait("after"), Jitter: 0.5}
		if message := a.text("error"); message != "" {
			e.Failure = NewFailure(CodeError, message)
		}
		return e
	case "Snoozed":
		return Snoozed{a.wait("delay")}
	case "Released":
		return Released{a.text("reason")}
	case "CancelRequested":
		return CancelRequested{By: a.text("by"), Node: a.text("node"), Reason: a.text("reason")}
	case "Hastened":
		return Hastened{By: a.text("by"), Node: a.text("node")}
	case "Redriven":
		return Redriven{By: a.text("by"), Node: a.text("node")}
	}
	return nil
}
