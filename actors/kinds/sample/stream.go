package sample

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// Bounds of a stream: what fits into a job's output, and between two checkpoints a minute at most.
const (
	maxChunks  = 10_000
	maxChunkMS = 60_000
)

// said is the checkpoint: how many chunks are behind us.
type said struct {
	Chunks int `json:"chunks"`
}

// stream says its output in chunks, one each ms milliseconds. After each it leaves a checkpoint, so that an attempt after a crash goes
// on with the chunk that was not said yet; it may say the last one again, as every handler that crashes between a deed and its checkpoint.
func stream(ctx context.Context, h hold) error {
	p := struct {
		Chunks int `json:"chunks"`
		MS     int `json:"ms"`
	}{Chunks: 20, MS: 100}
	if err := bind(h, &p); err != nil {
		return err
	}
	if err := within("chunks", p.Chunks, 1, maxChunks); err != nil {
		return err
	}
	if err := within("ms", p.MS, 0, maxChunkMS); err != nil {
		return err
	}
	var done said
	if _, err := h.Restore(&done); err != nil {
		return err
	}
	done.Chunks = min(max(done.Chunks, 0), p.Chunks)
	h.Log(slog.LevelInfo, fmt.Sprintf("says %d chunks from %d on", p.Chunks, done.Chunks+1))
	for done.Chunks < p.Chunks {
		h.Progress(job.Progress{
			Percent: 100 * float64(done.Chunks) / float64(p.Chunks), Stage: "stream", StageIndex: 1, StageCount: 1,
			Note: fmt.Sprintf("chunk %d of %d", done.Chunks+1, p.Chunks),
		})
		if err := wait(ctx, time.Duration(p.MS)*time.Millisecond); err != nil {
			return fmt.Errorf("chunk %d of %d: %w", done.Chunks+1, p.Chunks, err)
		}
		if err := h.Output(fmt.Appendf(nil, "chunk %d\n", done.Chunks+1)); err != nil {
			return fmt.Errorf("chunk %d of %d: %w", done.Chunks+1, p.Chunks, err)
		}
		done.Chunks++
		if err := h.Checkpoint(ctx, done); err != nil {
			return fmt.Errorf("keep chunk %d: %w", done.Chunks, err)
		}
	}
	h.Log(slog.LevelInfo, "said all")
	return h.Result(map[string]int{"chunks": p.Chunks})
}
