package video

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/actors/kinds/video/clip"
)

// hold is what an attempt needs of the job it runs; *actors.Job is one.
type hold interface {
	ID() job.ID
	Record() job.Job
	Logger() *slog.Logger
	Log(level slog.Level, text string)
	Progress(p job.Progress)
	Checkpoint(ctx context.Context, value any) error
	Restore(value any) (bool, error)
	Artifact(ctx context.Context, name, mediaType string, content io.Reader, max int64) (job.Artifact, error)
	Result(value any) error
}

// Result is what a completed job returns.
type Result struct {
	VideoURL   string   `json:"videoUrl"`
	PosterURL  string   `json:"posterUrl"`
	Width      int      `json:"width"`
	Height     int      `json:"height"`
	DurationMS int64    `json:"duration_ms"`
	Renderer   string   `json:"renderer"` // "ffmpeg" or "embedded fallback"
	Provider   string   `json:"provider"`
	Notes      []string `json:"notes,omitempty"` // what the maker of the clip should know of it
}

// studio makes clips, several at once.
type studio struct {
	Config
	decoding chan struct{} // one picture at a time is decoded: it may take half a gigabyte while it lasts

	probing  sync.Mutex
	probed   bool
	renderer *clip.FFmpeg // once probed; nil: the fallback
}

func newStudio(c Config) *studio {
	s := &studio{Config: c.filled(), decoding: make(chan struct{}, 1)}
	sweep(s.TempDir, s.Log)
	return s
}

// run is one attempt.
func (s *studio) run(ctx context.Context, h hold) error {
	payload, err := ParsePayload(h.Record().Payload)
	if err != nil {
		return job.Permanent(err)
	}
	folder, err := openFolder(s.TempDir)
	if err != nil {
		return err
	}
	defer folder.remove()
	ffmpeg, err := s.ffmpeg(ctx)
	if err != nil {
		return err
	}
	a := &attempt{studio: s, hold: h, payload: payload, folder: folder, ffmpeg: ffmpeg, stages: planned(h, payload.ImageURL != "")}
	for _, step := range []func(context.Context) error{a.source, a.compose, a.render, a.store} {
		if err := step(ctx); err != nil {
			if ctx.Err() != nil {
				return fmt.Errorf("%s: %w", a.stages.name(), context.Cause(ctx))
			}
			h.Log(slog.LevelError, a.stages.name()+": "+err.Error())
			return fmt.Errorf("%s: %w", a.stages.name(), err)
		}
	}
	h.Log(slog.LevelInfo, "done: "+a.result.VideoURL)
	a.stages.done("done")
	return h.Result(a.result)
}

// ffmpeg is the renderer, or nil if there is none that can be used. The program is asked once.
func (s *studio) ffmpeg(ctx context.Context) (*clip.FFmpeg, error) {
	s.probing.Lock()
	defer s.probing.Unlock()
	if s.probed {
		return s.renderer, nil
	}
	if s.FFmpeg == "" {
		s.Log.Warn("no ffmpeg: clips are small previews", "kind", Kind)
		s.probed = true
		return nil, nil
	}
	candidate := &clip.FFmpeg{Path: s.FFmpeg, Threads: s.Threads, MaxBytes: s.MaxBytes}
	err := candidate.Usable(ctx)
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("look at ffmpeg: %w", context.Cause(ctx))
	case err != nil:
		s.Log.Warn("ffmpeg can't be used: clips are small previews", "kind", Kind, "error", err)
	default:
		s.Log.Info("clips are rendered by ffmpeg", "kind", Kind, "path", s.FFmpeg)
		s.renderer = candidate
	}
	s.probed = true
	return s.renderer, nil
}
