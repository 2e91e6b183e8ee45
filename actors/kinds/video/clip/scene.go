package clip

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"time"
)

// Bounds of a clip.
const (
	MinDuration = 2 * time.Second
	MaxDuration = 30 * time.Second
	MinWidth    = 160
	MaxWidth    = 1920
	MinHeight   = 90
	MaxHeight   = 1080
	MinFPS      = 5
	MaxFPS      = 60
)

// Spec is what a clip is made of. Sizes, rate and duration are moved into their bounds, sizes to even numbers.
type Spec struct {
	Text          string
	Picture       image.Image // behind the text; nil: moving colour
	Duration      time.Duration
	Width, Height int
	FPS           int
	// Badge is a small label in the corner of every frame; empty for none.
	Badge string
}

// Scene is a clip, laid out: what is to be seen when. It does not change once composed.
type Scene struct {
	Width, Height, FPS int
	Duration           float64 // seconds
	// Missing lists characters that no font on this machine has; boxes stand for them.
	Missing []string

	palette  palette
	backdrop *backdrop // one of these two
	photo    *photo
	layers   []layer
	poster   float64 // when the scene shows best what it is about, in seconds
}

// layer is a picture that comes, stays and goes.
type layer struct {
	picture *image.RGBA
	at      image.Point
	start   float64 // seconds
	end     float64
	fadeIn  float64
	fadeOut float64
	rise    float64 // pixels that it comes from below
	slide   float64 // pixels a second that it moves to the right
}

// Times of the whole picture's fades from and to black, in seconds, for clips of fullPace and longer. Shorter clips are quicker.
const (
	fadeFromBlack = 0.35
	fadeToBlack   = 0.5
	fullPace      = 5
)

func (s *Scene) pace() float64 { return min(1, s.Duration/fullPace) }

// Frames is how many frames the clip has.
func (s *Scene) Frames() int { return int(math.Round(s.Duration * float64(s.FPS))) }

// opacity is how much of the layer is seen at t, 0 to 1.
func (l layer) opacity(t float64) float64 {
	if t < l.start || t >= l.end {
		return 0
	}
	o := 1.0
	if l.fadeIn > 0 {
		o = min(o, (t-l.start)/l.fadeIn)
	}
	if l.fadeOut > 0 {
		o = min(o, (l.end-t)/l.fadeOut)
	}
	return max(o, 0)
}

// lift is how far below its place the layer is at t, in pixels.
func (l layer) lift(t float64) int {
	rest := 1 - min(max((t-l.start)/max(l.fadeIn*1.6, 0.001), 0), 1)
	return int(math.Round(l.rise * rest * rest * rest))
}

// paint draws the clip as it is at t seconds, without the fades from and to black.
func (s *Scene) paint(t float64) *image.RGBA {
	frame := image.NewRGBA(image.Rect(0, 0, s.Width, s.Height))
	if s.photo != nil {
		s.photo.paint(frame, t/s.Duration)
	} else {
		s.backdrop.paint(frame, t)
	}
	for _, l := range s.layers {
		o := l.opacity(t)
		if o <= 0 {
			continue
		}
		at := l.at.Add(image.Pt(int(l.slide*t), l.lift(t)))
		to := image.Rectangle{Min: at, Max: at.Add(l.picture.Rect.Size())}
		draw.DrawMask(frame, to, l.picture, l.picture.Rect.Min, image.NewUniform(color.Alpha{uint8(o*255 + 0.5)}), image.Point{}, draw.Over)
	}
	return frame
}

// Poster is one frame that stands for the clip.
func (s *Scene) Poster() *image.RGBA { return s.paint(s.poster) }

// frame is the n-th frame, fades included.
func (s *Scene) frame(n int) *image.RGBA {
	t := float64(n) / float64(s.FPS)
	frame := s.paint(t)
	light := min(1, (t+1/float64(s.FPS))/(fadeFromBlack*s.pace()), (s.Duration-t)/(fadeToBlack*s.pace()))
	if light < 1 {
		keep := int(256 * max(light, 0))
		for i, v := range frame.Pix {
			if i%4 != 3 {
				frame.Pix[i] = uint8(int(v) * keep >> 8)
			}
		}
	}
	return frame
}

func (spec Spec) bounded() Spec {
	spec.Duration = min(max(spec.Duration, MinDuration), MaxDuration)
	spec.Width = min(max(spec.Width, MinWidth), MaxWidth) &^ 1
	spec.Height = min(max(spec.Height, MinHeight), MaxHeight) &^ 1
	spec.FPS = min(max(spec.FPS, MinFPS), MaxFPS)
	return spec
}
