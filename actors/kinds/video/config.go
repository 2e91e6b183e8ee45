package video

import (
	"context"
	"log/slog"
	"os"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/actors/kinds/video/clip"
	"github.com/meta-ad-studio/troupe/actors/kinds/video/fetch"
	"github.com/meta-ad-studio/troupe/persistence"
)

// Kind is the kind's name.
const Kind = "video.generate"

// NoFFmpeg, as Config.FFmpeg, chooses the embedded fallback.
const NoFFmpeg = "none"

// Config says how clips are made. Its zero value is ready: 1280 x 720 at 30 frames a second, with the ffmpeg on the search path if
// there is one.
type Config struct {
	FFmpeg  string // path of the program; empty: as found on the search path; NoFFmpeg: none
	TempDir string // where attempts keep their folders; empty: the system's
	Width   int    // 0: 1280
	Height  int    // 0: 720
	FPS     int    // 0: 30
	Threads int    // of ffmpeg; 0: 2
	// MaxBytes bounds a rendered file; 0: 200 MB.
	MaxBytes int64
	// Artifacts gives back the picture that an earlier attempt stored; nil: each attempt fetches it.
	Artifacts Opener
	// Fetch gets pictures. Its zero value reaches the public internet only.
	Fetch fetch.Client
	// Fonts draw the text; nil: the built-in and the machine's.
	Fonts *clip.Fonts
	// Log hears once which renderer is used; nil: nobody.
	Log *slog.Logger
}

// Opener is the part of persistence.Artifacts that is needed here.
type Opener interface {
	Open(ctx context.Context, id job.ID, token int64, name string) (persistence.ArtifactFile, error)
}

func (c Config) filled() Config {
	if c.FFmpeg == "" {
		c.FFmpeg = clip.FindFFmpeg()
	}
	if c.FFmpeg == NoFFmpeg {
		c.FFmpeg = ""
	}
	if c.TempDir == "" {
		c.TempDir = os.TempDir()
	}
	if c.Width == 0 || c.Height == 0 {
		c.Width, c.Height = 1280, 720
	}
	if c.FPS == 0 {
		c.FPS = 30
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = clip.DefaultMaxBytes
	}
	if c.Fonts == nil {
		c.Fonts = &clip.Fonts{}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}
