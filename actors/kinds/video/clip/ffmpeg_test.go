package clip

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func program(t *testing.T) *FFmpeg {
	t.Helper()
	path := FindFFmpeg()
	if path == "" {
		t.Skip("no ffmpeg on the search path")
	}
	return &FFmpeg{Path: path}
}

type probe struct {
	Streams []struct {
		Kind   string `json:"codec_type"`
		Codec  string `json:"codec_name"`
		Width  int    `json:"width"`
		Height int    `json:"height"`
		Pixels string `json:"pix_fmt"`
		Rate   string `json:"avg_frame_rate"`
		Frames string `json:"nb_read_frames"`
	} `json:"streams"`
	Format struct {
		Duration float64 `json:"duration,string"`
	} `json:"format"`
}

func ffprobe(t *testing.T, path string) (p probe) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "ffprobe", "-v", "error", "-count_frames", "-show_streams", "-show_format", "-of", "json", path)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("ffprobe: %v", err)
	}
	if err := json.Unmarshal(out, &p); err != nil {
		t.Fatal(err)
	}
	return p
}

// Every hostile text becomes a whole clip with sound, and nothing but that.
func TestRenderHostileTexts(t *testing.T) {
	f, fonts := program(t), &Fonts{}
	for name, text := range hostile {
		t.Run(name, func(t *testing.T) {
			spec := small
			spec.Text = text
			folder := t.TempDir()
			var parts []float64
			path, err := f.Render(t.Context(), Compose(spec, fonts), folder, func(part float64) { parts = append(parts, part) })
			if err != nil {
				t.Fatal(err)
			}
			p := ffprobe(t, path)
			if len(p.Streams) != 2 || math.Abs(p.Format.Duration-2) > 0.1 {
				t.Fatalf("%+v", p)
			}
			if v, a := p.Streams[0], p.Streams[1]; v.Codec != "h264" || v.Width != 320 || v.Height != 180 || v.Pixels != "yuv420p" || v.Rate != "10/1" || v.Frames != "20" || a.Codec != "aac" {
				t.Errorf("%+v", p.Streams)
			}
			for i, part := range parts {
				if part < 0 || part > 1 || (i > 0 && part < parts[i-1]) {
					t.Errorf("progress %v", parts)
				}
			}
			if len(parts) == 0 || parts[len(parts)-1] != 1 {
				t.Errorf("progress ends at %v", parts)
			}
		})
	}
}

func TestRenderOverAPicture(t *testing.T) {
	f := program(t)
	spec := small
	spec.Text = "Over a picture. " + strings.Repeat("With much to say about it. ", 20)
	spec.Picture = Compose(Spec{Text: "below", Width: 600, Height: 800}, &Fonts{}).Poster()
	path, err := f.Render(t.Context(), Compose(spec, &Fonts{}), t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if p := ffprobe(t, path); p.Streams[0].Frames != "20" {
		t.Errorf("%+v", p)
	}
}

// What ffmpeg shows is what the poster and the fallback show.
func TestFFmpegAndGoDrawAlike(t *testing.T) {
	f := program(t)
	spec := small
	spec.Text, spec.Width, spec.Height = "Alike", 640, 360
	s := Compose(spec, &Fonts{})
	path, err := f.Render(t.Context(), s, t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := exec.CommandContext(t.Context(), f.Path, "-v", "error", "-i", path, "-vf", "select=eq(n\\,12)", "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgba", "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	ours := s.frame(12)
	if len(raw) != len(ours.Pix) {
		t.Fatalf("%d bytes, want %d", len(raw), len(ours.Pix))
	}
	sum := 0.0
	for i := range raw {
		sum += math.Abs(float64(raw[i]) - float64(ours.Pix[i]))
	}
	if mean := sum / float64(len(raw)); mean > 4 {
		t.Errorf("a mean difference of %.1f of 255", mean)
	}
}

func TestCancelEndsFFmpegAtOnce(t *testing.T) {
	f := program(t)
	s := Compose(Spec{Text: "Long", Duration: MaxDuration, Width: 1280, Height: 720, FPS: 60}, &Fonts{})
	gone := errors.New("changed my mind")
	ctx, cancel := context.WithCancelCause(t.Context())
	var cancelled time.Time
	_, err := f.Render(ctx, s, t.TempDir(), func(float64) {
		if cancelled.IsZero() {
			cancelled = time.Now()
			cancel(gone)
		}
	})
	if took := time.Since(cancelled); !errors.Is(err, gone) || took > grace {
		t.Errorf("%v after %s", err, took)
	}
	if left := children(os.Getpid()); len(left) != 0 {
		t.Errorf("left running: %v", left)
	}
}

func TestFFmpegFails(t *testing.T) {
	f := program(t)
	spec := small
	spec.Text = "Fails"
	s := Compose(spec, &Fonts{})
	if _, err := (&FFmpeg{Path: f.Path, MaxBytes: 2000}).Render(t.Context(), s, t.TempDir(), nil); err == nil {
		t.Error("a clip over its bound passes")
	}
	if _, err := (&FFmpeg{Path: "/nonexistent/ffmpeg"}).Render(t.Context(), s, t.TempDir(), nil); err == nil {
		t.Error("a missing program passes")
	}
	if _, err := f.Render(t.Context(), s, filepath.Join(t.TempDir(), "missing"), nil); err == nil {
		t.Error("a missing folder passes")
	}
	// a program that complains at length: the end of it is in the error
	loud := filepath.Join(t.TempDir(), "loud")
	script := "#!/bin/sh\ni=0; while [ $i -lt 2000 ]; do echo complaint $i >&2; i=$((i+1)); done; exit 3\n"
	if err := os.WriteFile(loud, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err := (&FFmpeg{Path: loud}).Render(t.Context(), s, t.TempDir(), nil)
	if err == nil || !strings.Contains(err.Error(), "complaint 1999") || !strings.Contains(err.Error(), "exit status 3") || len(err.Error()) > tailBytes+100 {
		t.Errorf("%v", err)
	}
}

func TestUsable(t *testing.T) {
	f := program(t)
	if err := f.Usable(t.Context()); err != nil {
		t.Error(err)
	}
	if err := (&FFmpeg{Path: "/bin/true"}).Usable(t.Context()); err == nil || !strings.Contains(err.Error(), "libx264") {
		t.Errorf("%v", err)
	}
	if err := (&FFmpeg{Path: "/nonexistent"}).Usable(t.Context()); err == nil {
		t.Error("a missing program is usable")
	}
}
