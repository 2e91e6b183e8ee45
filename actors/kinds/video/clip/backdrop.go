package clip

import (
	"fmt"
	"image"
	"image/color"
	stddraw "image/draw"
	"math"

	"golang.org/x/image/draw"
)

// backdropScale is how much smaller moving colour is drawn than shown: it is all soft, and costs a sixteenth.
const backdropScale = 4

// backdrop is moving colour: lights that drift over a ground, and a vignette over both.
type backdrop struct {
	ground   *image.RGBA
	lights   []light
	vignette *image.NRGBA
}

// light is one soft disc and its drift.
type light struct {
	picture *image.NRGBA
	drift   drift
}

// drift is a slow path: around (x, y), as far as (ax, ay), one round in px and py seconds.
type drift struct{ x, y, ax, ay, px, py, phase float64 }

func (d drift) at(t float64) image.Point {
	return image.Pt(
		int(math.Round(d.x+d.ax*math.Sin(2*math.Pi*t/d.px+d.phase))),
		int(math.Round(d.y+d.ay*math.Cos(2*math.Pi*t/d.py+d.phase))),
	)
}

// exprs are the same path as ffmpeg's expressions of the time t.
func (d drift) exprs() (x, y string) {
	return fmt.Sprintf("round(%.3f+%.3f*sin(2*PI*t/%.3f+%.3f))", d.x, d.ax, d.px, d.phase),
		fmt.Sprintf("round(%.3f+%.3f*cos(2*PI*t/%.3f+%.3f))", d.y, d.ay, d.py, d.phase)
}

func newBackdrop(p palette, width, height int) *backdrop {
	w, h := max(2, width/backdropScale), max(2, height/backdropScale)
	b := &backdrop{ground: image.NewRGBA(image.Rect(0, 0, w, h)), vignette: image.NewNRGBA(image.Rect(0, 0, w, h))}
	for y := range h {
		for x := range w {
			u, v := float64(x)/float64(w), float64(y)/float64(h)
			b.ground.SetRGBA(x, y, mix(p.ground[0], p.ground[1], (u+v)/2))
			// darker at the edges, and at the left, where the text stands
			edge := math.Pow(math.Hypot(u-0.5, v-0.5)/0.7071, 2.5)*0.38 + (1-u)*0.20
			b.vignette.SetNRGBA(x, y, color.NRGBA{A: uint8(255 * min(edge, 0.7))})
		}
	}
	fw, fh := float64(w), float64(h)
	for i, c := range p.glow {
		n := uint64(i) * 8
		r := int(fw * (0.34 + 0.14*p.pick(n)))
		b.lights = append(b.lights, light{
			picture: disc(c, r, 0.95),
			drift: drift{
				x: fw*(0.30+0.30*float64(i)) - float64(r), y: fh*(0.25+0.5*p.pick(n+1)) - float64(r),
				ax: fw * (0.12 + 0.14*p.pick(n+2)), ay: fh * (0.2 + 0.2*p.pick(n+3)),
				px: 7 + 6*p.pick(n+4), py: 6 + 6*p.pick(n+5), phase: 2 * math.Pi * p.pick(n+6),
			},
		})
	}
	return b
}

// paint draws the backdrop as it is at t, as large as dst.
func (b *backdrop) paint(dst *image.RGBA, t float64) {
	small := image.NewRGBA(b.ground.Rect)
	copy(small.Pix, b.ground.Pix)
	for _, l := range b.lights {
		size := l.picture.Rect.Size()
		at := l.drift.at(t)
		stddraw.Draw(small, image.Rectangle{Min: at, Max: at.Add(size)}, l.picture, image.Point{}, stddraw.Over)
	}
	stddraw.Draw(small, small.Rect, b.vignette, image.Point{}, stddraw.Over)
	draw.BiLinear.Scale(dst, dst.Bounds(), small, small.Rect, draw.Src, nil)
}
