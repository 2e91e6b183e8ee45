package clip

import (
	"context"
	"fmt"
	"image"
	"image/gif"
	"io"
)

// The GIF's measure: what a page can load and any processor can draw.
const (
	GIFWidth  = 480
	GIFHeight = 270
	gifColors = 64
	gifRate   = 12  // frames a second, fewer for clips that would have more than gifFrames
	gifFrames = 150 // about 100 KB of memory and of file each
)

// GIFSpec is the spec, made fit to be drawn as a GIF here and labelled for what it is.
func GIFSpec(spec Spec) Spec {
	spec = spec.bounded()
	spec.Width, spec.Height = GIFWidth, GIFHeight
	spec.FPS = min(gifRate, max(MinFPS, int(gifFrames/spec.Duration.Seconds())))
	spec.Badge = "preview without ffmpeg"
	return spec
}

// WriteGIF draws every frame of a scene and writes them as an animation that repeats. Progress, if not nil, is told the part that is done,
// 0 to 1, after each frame. When the context ends it returns the context's cause within a frame.
func WriteGIF(ctx context.Context, w io.Writer, s *Scene, progress func(part float64)) error {
	n := s.Frames()
	q := newQuantizer(s)
	animation := gif.GIF{Image: make([]*image.Paletted, 0, n), Config: image.Config{ColorModel: q.palette, Width: s.Width, Height: s.Height}}
	for i := range n {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		// a GIF counts in hundredths of a second: each frame lasts until the next one's due time
		delay := (i+1)*100/s.FPS - i*100/s.FPS
		animation.Image = append(animation.Image, q.frame(s.frame(i)))
		animation.Delay = append(animation.Delay, delay)
		animation.Disposal = append(animation.Disposal, gif.DisposalNone)
		if progress != nil {
			progress(float64(i+1) / float64(n+n/10+1)) // writing takes about a tenth of drawing
		}
	}
	if err := gif.EncodeAll(&watched{ctx, w}, &animation); err != nil {
		return fmt.Errorf("write the animation: %w", err)
	}
	if progress != nil {
		progress(1)
	}
	return nil
}

// watched is a writer that fails once its context has ended.
type watched struct {
	ctx context.Context //nolint:containedctx // lives for one call
	w   io.Writer
}

// Write implements io.Writer.
func (w *watched) Write(p []byte) (int, error) {
	if w.ctx.Err() != nil {
		return 0, context.Cause(w.ctx)
	}
	return w.w.Write(p)
}
