package video

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image/gif"
	"image/jpeg"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/actors/kinds/video/clip"
)

func smallStudio(t *testing.T, change func(*Config)) *studio {
	t.Helper()
	c := Config{TempDir: t.TempDir(), Width: 320, Height: 180, FPS: 10}
	if change != nil {
		change(&c)
	}
	if c.FFmpeg != NoFFmpeg && clip.FindFFmpeg() == "" {
		t.Skip("no ffmpeg on the search path")
	}
	return newStudio(c)
}

func result(t *testing.T, r *recorder) (got Result) {
	t.Helper()
	if err := json.Unmarshal(r.result, &got); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestClipByFFmpeg(t *testing.T) {
	s, r := smallStudio(t, nil), newRecorder(Payload{Prompt: "Wake up. Now 🚀.", Duration: 2})
	if err := s.run(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	r.check(t, s.TempDir, true)
	got := result(t, r)
	base := "/v1/jobs/" + r.ID().String() + "/artifacts/"
	if got.VideoURL != base+"video.mp4" || got.PosterURL != base+"poster.jpg" || got.Width != 320 || got.Height != 180 || got.DurationMS != 2000 ||
		got.Renderer != "ffmpeg" || got.Provider != Embedded {
		t.Errorf("%+v", got)
	}
	if !slices.Equal(r.stored, []string{"poster.jpg", "video.mp4"}) || string(r.files["video.mp4"][4:8]) != "ftyp" {
		t.Errorf("stored %v", r.stored)
	}
	if p, err := jpeg.Decode(bytes.NewReader(r.files["poster.jpg"])); err != nil || p.Bounds().Dx() != 320 {
		t.Errorf("poster: %v", err)
	}
	var names []string
	for _, p := range r.progress {
		names = append(names, fmt.Sprintf("%d/%d %s", p.StageIndex, p.StageCount, p.Stage))
	}
	if names = slices.Compact(names); !slices.Equal(names, []string{"1/3 compose", "2/3 render", "3/3 store"}) {
		t.Errorf("stages %v", names)
	}
}

func TestClipWithoutFFmpeg(t *testing.T) {
	s, r := smallStudio(t, func(c *Config) { c.FFmpeg = NoFFmpeg }), newRecorder(Payload{Prompt: "No ffmpeg here.", Duration: 2})
	if err := s.run(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	r.check(t, s.TempDir, true)
	got := result(t, r)
	if !strings.HasSuffix(got.VideoURL, "/video.gif") || got.Renderer != "embedded fallback" || got.Width != clip.GIFWidth || len(got.Notes) != 1 {
		t.Errorf("%+v", got)
	}
	if a, err := gif.DecodeAll(bytes.NewReader(r.files["video.gif"])); err != nil || len(a.Image) != 24 {
		t.Errorf("%v", err)
	}
	for _, program := range []string{"/bin/true", "/nonexistent/ffmpeg"} { // what is no ffmpeg is not used as one
		s := smallStudio(t, func(c *Config) { c.FFmpeg = program })
		if renderer, err := s.ffmpeg(t.Context()); renderer != nil || err != nil {
			t.Errorf("%s: %v, %v", program, renderer, err)
		}
	}
}

func TestWrongPayloadIsPermanent(t *testing.T) {
	s, r := smallStudio(t, func(c *Config) { c.FFmpeg = NoFFmpeg }), newRecorder(map[string]any{"prompt": "a", "provider": "sora"})
	err := s.run(t.Context(), r)
	if e, ok := job.Outcome(nil, err, 0).(job.AttemptFailed); !ok || !e.Permanent || !strings.Contains(e.Failure.Message, "provider") {
		t.Errorf("%v", err)
	}
}

// Cancelled in the midst of each way of rendering: the cause is told, soon, and nothing stays behind.
func TestCancel(t *testing.T) {
	for _, program := range []string{"", NoFFmpeg} {
		s := smallStudio(t, func(c *Config) { c.FFmpeg, c.Width, c.Height, c.FPS = program, 1280, 720, 60 })
		r := newRecorder(Payload{Prompt: "Never to be seen", Duration: 30})
		gone := errors.New("changed my mind")
		ctx, cancel := context.WithCancelCause(t.Context())
		var cancelled time.Time
		r.told = func(p job.Progress) {
			if p.Stage == "render" && p.Percent > 9 && cancelled.IsZero() {
				cancelled = time.Now()
				cancel(gone)
			}
		}
		err := s.run(ctx, r)
		if took := time.Since(cancelled); !errors.Is(err, gone) || took > 3*time.Second {
			t.Errorf("%q: %v after %s", program, err, took)
		}
		r.check(t, s.TempDir, false)
		if !slices.Equal(r.stored, []string{"poster.jpg"}) || r.result != nil {
			t.Errorf("stored %v", r.stored)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("before it began")
	cancel(gone)
	s := smallStudio(t, nil)
	if err := s.run(ctx, newRecorder(Payload{Prompt: "a", Duration: 2})); !errors.Is(err, gone) {
		t.Error(err)
	}
	if err := s.run(t.Context(), newRecorder(Payload{Prompt: "a", Duration: 2})); err != nil { // it was not ffmpeg's fault
		t.Error(err)
	}
	if s.renderer == nil {
		t.Error("ffmpeg is given up because a job was cancelled")
	}
}
