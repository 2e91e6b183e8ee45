package sample

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// maxSteps bounds the checkpoints of one sleep.
const maxSteps = 10_000

// slept is the checkpoint: how many steps are behind us.
type slept struct {
	Steps int `json:"steps"`
}

// sleep takes ms milliseconds in steps. After each it leaves a checkpoint, so that an attempt after a crash begins with the step that
// was under way.
func sleep(ctx context.Context, h hold) error {
	p := struct {
		MS    int `json:"ms"`
		Steps int `json:"steps"`
	}{MS: 1000, Steps: 10}
	if err := bind(h, &p); err != nil {
		return err
	}
	if err := within("ms", p.MS, 0, maxMS); err != nil {
		return err
	}
	if err := within("steps", p.Steps, 1, maxSteps); err != nil {
		return err
	}
	var done slept
	if _, err := h.Restore(&done); err != nil {
		return err
	}
	done.Steps = min(max(done.Steps, 0), p.Steps)
	resumed := done.Steps
	if resumed > 0 {
		h.Log(slog.LevelWarn, fmt.Sprintf("goes on after step %d of %d", resumed, p.Steps))
	}
	total := time.Duration(p.MS) * time.Millisecond
	for done.Steps < p.Steps {
		h.Progress(job.Progress{
			Percent: 100 * float64(done.Steps) / float64(p.Steps), Stage: "sleep", StageIndex: done.Steps + 1, StageCount: p.Steps,
			Note: fmt.Sprintf("step %d of %d", done.Steps+1, p.Steps),
			ETA:  job.Duration(total - span(total, done.Steps, p.Steps)),
		})
		h.Log(slog.LevelInfo, fmt.Sprintf("step %d of %d", done.Steps+1, p.Steps))
		if err := wait(ctx, span(total, done.Steps+1, p.Steps)-span(total, done.Steps, p.Steps)); err != nil {
			return fmt.Errorf("step %d of %d: %w", done.Steps+1, p.Steps, err)
		}
		done.Steps++
		if err := h.Checkpoint(ctx, done); err != nil {
			return fmt.Errorf("keep step %d: %w", done.Steps, err)
		}
	}
	h.Progress(job.Progress{Percent: 100, Stage: "sleep", StageIndex: p.Steps, StageCount: p.Steps, Note: "done"})
	return h.Result(map[string]int{"steps": p.Steps, "resumed_at": resumed})
}

// span is how long the first n of count equal steps take.
func span(total time.Duration, n, count int) time.Duration {
	return time.Duration(float64(total) * float64(n) / float64(count))
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
