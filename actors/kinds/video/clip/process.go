package clip

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// grace is how long a program may take to end by itself when it is asked to.
const grace = 3 * time.Second

// tail is how much of a program's complaints is kept.
const tailBytes = 4 << 10

// process is one run of a program: no shell, an environment of our own, a process group of its own, the lowest claim on the processor
// that is polite. It never outlives the run, nor, on Linux, this process.
type process struct {
	path   string
	args   []string
	dir    string
	stdout io.Writer
	said   func(line string) // takes what it complained of, line by line, when it has ended; nil: nobody
}

// run runs the program to its end. When the context ends, the program is asked to end and, after grace, killed; then the context's cause
// is the error. Otherwise the error tells the last that the program complained of.
func (p *process) run(ctx context.Context) error {
	path, args := p.path, p.args
	if nice, err := exec.LookPath("nice"); err == nil {
		path, args = nice, append([]string{"-n", "10", p.path}, p.args...)
	}
	complaints := &tail{limit: tailBytes}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = p.dir, p.stdout, complaints
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "HOME=" + os.TempDir(), "SystemRoot=" + os.Getenv("SystemRoot")}
	cmd.WaitDelay = grace
	own(cmd)
	// The kernel ends the program when the thread that started it ends (see own), so that thread is kept for it, to the end.
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		done <- cmd.Run()
	}()
	err := <-done
	if p.said != nil {
		for line := range strings.Lines(complaints.String()) {
			if line = strings.TrimSpace(line); line != "" {
				p.said(line)
			}
		}
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	if said := strings.TrimSpace(complaints.String()); said != "" {
		if failed, ok := errors.AsType[*exec.ExitError](err); ok {
			return fmt.Errorf("ffmpeg: %w: %s", failed, said)
		}
	}
	return fmt.Errorf("ffmpeg: %w", err)
}

// tail keeps the end of what is written to it.
type tail struct {
	limit int
	kept  []byte
}

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	n := len(p)
	if len(p) > t.limit {
		p = p[len(p)-t.limit:]
	}
	t.kept = append(t.kept, p...)
	if over := len(t.kept) - t.limit; over > 0 {
		t.kept = append(t.kept[:0], t.kept[over:]...)
	}
	return n, nil
}

// String is what was kept, as text.
func (t *tail) String() string { return strings.ToValidUTF8(string(t.kept), "") }
