package video

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/actors/kinds/video/clip"
)

// Names of the artifacts.
const (
	videoName   = "video.mp4"
	previewName = "video.gif"
	posterName  = "poster.jpg"
	sourceName  = "source.jpg"
)

// maxPicture bounds the poster and the stored source picture, in bytes.
const maxPicture = 20 << 20

// attempt is one run of one job, and what its stages hand on.
type attempt struct {
	*studio
	hold
	payload Payload
	folder  *folder
	ffmpeg  *clip.FFmpeg // nil: the fallback
	stages  *stages

	picture image.Image // behind the text; nil: none
	scene   *clip.Scene
	file    string // the rendered clip
	result  Result
}

// compose lays the clip out and stores the poster.
func (a *attempt) compose(ctx context.Context) error {
	a.stages.next("laying out the text")
	spec := clip.Spec{Text: a.payload.Prompt, Picture: a.picture, Duration: a.payload.length(), Width: a.Width, Height: a.Height, FPS: a.FPS}
	if a.ffmpeg == nil {
		spec = clip.GIFSpec(spec)
	}
	a.scene = clip.Compose(spec, a.Fonts)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	a.stages.tell(0.6, "drawing the poster")
	var poster bytes.Buffer
	if err := jpeg.Encode(&poster, a.scene.Poster(), &jpeg.Options{Quality: 88}); err != nil {
		return fmt.Errorf("encode the poster: %w", err)
	}
	if _, err := a.Artifact(ctx, posterName, "image/jpeg", &poster, maxPicture); err != nil {
		return fmt.Errorf("store the poster: %w", err)
	}
	a.result = Result{
		PosterURL: job.ArtifactURL(a.ID(), posterName), Provider: a.payload.Provider,
		Width: a.scene.Width, Height: a.scene.Height, DurationMS: a.payload.length().Milliseconds(),
	}
	if missing := a.scene.Missing; len(missing) > 0 {
		shown := missing[:min(len(missing), 20)]
		a.result.Notes = append(a.result.Notes, fmt.Sprintf("no font on this node has %s: boxes stand for them", strings.Join(shown, " ")))
	}
	return nil
}

// render makes the clip's file.
func (a *attempt) render(ctx context.Context) error {
	note := "rendering"
	if len(a.result.Notes) > 0 {
		note += "; " + a.result.Notes[0]
	}
	a.stages.next(note)
	progress := func(part float64) { a.stages.tell(part, note) }
	if a.ffmpeg == nil {
		a.result.Renderer = "embedded fallback"
		a.result.Notes = append(a.result.Notes, "made without ffmpeg: a small preview without sound")
		return a.preview(ctx, progress)
	}
	a.result.Renderer = "ffmpeg"
	ffmpeg := *a.ffmpeg
	ffmpeg.Said = func(line string) { a.Log(slog.LevelWarn, "ffmpeg: "+line) }
	file, err := ffmpeg.Render(ctx, a.scene, a.folder.path, progress)
	a.file = file
	return err
}

func (a *attempt) preview(ctx context.Context, progress func(float64)) error {
	a.file = filepath.Join(a.folder.path, previewName)
	file, err := os.Create(a.file)
	if err != nil {
		return fmt.Errorf("make a file: %w", err)
	}
	return errors.Join(clip.WriteGIF(ctx, file, a.scene, progress), file.Close())
}

// store keeps the file as an artifact.
func (a *attempt) store(ctx context.Context) error {
	a.stages.next("storing the clip")
	name, mediaType := videoName, "video/mp4"
	if a.ffmpeg == nil {
		name, mediaType = previewName, "image/gif"
	}
	file, err := os.Open(a.file)
	if err != nil {
		return fmt.Errorf("read the rendered clip: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("read the rendered clip: %w", err)
	}
	counted := &counter{r: file, told: func(n int64) { a.stages.tell(float64(n)/float64(info.Size()), "storing the clip") }}
	if _, err := a.Artifact(ctx, name, mediaType, counted, a.MaxBytes); err != nil {
		return fmt.Errorf("store the clip: %w", err)
	}
	a.result.VideoURL = job.ArtifactURL(a.ID(), name)
	return nil
}

// counter tells how much was read, every quarter of a megabyte.
type counter struct {
	r          io.Reader
	read, last int64
	told       func(n int64)
}

// Read implements io.Reader.
func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if c.read += int64(n); c.read-c.last >= 256<<10 {
		c.last = c.read
		c.told(c.read)
	}
	return n, err
}
