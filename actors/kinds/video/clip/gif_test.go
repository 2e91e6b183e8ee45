package clip

import (
	"bytes"
	"context"
	"errors"
	"image/gif"
	"io"
	"slices"
	"testing"
	"time"
)

func TestGIF(t *testing.T) {
	for _, seconds := range []time.Duration{2, 30} {
		spec := GIFSpec(Spec{Text: "Without ffmpeg. Still moving.", Duration: seconds * time.Second})
		if spec.Width != GIFWidth || spec.Height != GIFHeight || spec.Badge == "" {
			t.Errorf("%+v", spec)
		}
		spec.Width, spec.Height = MinWidth, MinHeight // to be done sooner
		s := Compose(spec, &Fonts{})
		var out bytes.Buffer
		var parts []float64
		if err := WriteGIF(t.Context(), &out, s, func(part float64) { parts = append(parts, part) }); err != nil {
			t.Fatal(err)
		}
		animation, err := gif.DecodeAll(&out)
		if err != nil {
			t.Fatal(err)
		}
		total := 0
		for _, d := range animation.Delay {
			total += d
		}
		if len(animation.Image) != s.Frames() || len(animation.Image) > gifFrames || total != int(seconds)*100 || animation.LoopCount != 0 {
			t.Errorf("%d frames, %d hundredths", len(animation.Image), total)
		}
		if p := animation.Image[0]; p.Rect.Dx() != s.Width || p.Rect.Dy() != s.Height || len(p.Palette) > gifColors {
			t.Errorf("%v, %d colours", p.Rect, len(p.Palette))
		}
		if !slices.IsSorted(parts) || parts[len(parts)-1] != 1 || len(parts) != s.Frames()+1 {
			t.Errorf("progress %v", parts)
		}
	}
}

func TestGIFStopsWithinAFrame(t *testing.T) {
	spec := GIFSpec(Spec{Text: "Stop", Duration: MinDuration})
	spec.Width, spec.Height = MinWidth, MinHeight
	s := Compose(spec, &Fonts{})
	gone := errors.New("enough")
	for stop := range 3 { // after the first frame, after some, and while it is written
		ctx, cancel := context.WithCancelCause(t.Context())
		told := 0
		at := []int{1, 10, s.Frames()}[stop]
		err := WriteGIF(ctx, io.Discard, s, func(float64) {
			if told++; told == at {
				cancel(gone)
			}
		})
		if !errors.Is(err, gone) || told != at {
			t.Errorf("%v after %d of %d frames", err, told, at)
		}
	}
}
