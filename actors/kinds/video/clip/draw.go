package clip

import (
	"image"
	"image/color"
	"image/draw"
	"math"

	"golang.org/x/image/font"
	"golang.org/x/image/math/fixed"
)

// ink is how text is coloured: its colour, and how far and how dark a shadow lies under it.
type ink struct {
	colour color.RGBA
	blur   int     // pixels
	shadow float64 // opacity, 0 to 1
}

// drawLine draws a line into a mask, its baseline at (x, y); right says whether its text begins from the right.
func drawLine(mask *image.Alpha, l line, st style, right bool, x, y int) {
	d := font.Drawer{Dst: mask, Src: image.Opaque, Dot: fixed.P(x, y)}
	for _, c := range visual(l.clusters, right) {
		if c.face == nil {
			box(mask, d.Dot.X.Round(), y, st.size)
		} else {
			d.Face = c.face
			dot := d.Dot
			d.DrawString(c.text)
			d.Dot = dot
		}
		d.Dot.X += c.advance
	}
}

// box stands for a character that no font has: an upright frame with a dot in it, unlike any letter.
func box(mask *image.Alpha, x, y int, size float64) {
	w, h := int(size*0.62), int(size*0.72)
	stroke := max(1, int(size*0.06))
	x += int(size * 0.09)
	outer := image.Rect(x, y-h, x+w, y)
	draw.Draw(mask, outer, image.Opaque, image.Point{}, draw.Src)
	draw.Draw(mask, outer.Inset(stroke), image.Transparent, image.Point{}, draw.Src)
	centre, r := image.Pt(x+w/2, y-h/2), max(1, int(size*0.07))
	draw.Draw(mask, image.Rect(centre.X-r, centre.Y-r, centre.X+r, centre.Y+r), image.Opaque, image.Point{}, draw.Src)
}

// coloured turns a mask into a picture: the ink over its own soft shadow. The mask needs a margin of twice the blur.
func coloured(mask *image.Alpha, in ink) *image.RGBA {
	b := mask.Bounds()
	picture := image.NewRGBA(b)
	if in.shadow > 0 {
		shade := blurred(mask, in.blur)
		black := image.NewUniform(color.RGBA{A: uint8(255 * in.shadow)})
		draw.DrawMask(picture, b, black, image.Point{}, shade, b.Min.Sub(image.Pt(0, in.blur/3)), draw.Over)
	}
	draw.DrawMask(picture, b, image.NewUniform(in.colour), image.Point{}, mask, b.Min, draw.Over)
	return picture
}

// blurred is the mask, spread by two passes of a box in each direction.
func blurred(mask *image.Alpha, radius int) *image.Alpha {
	out := image.NewAlpha(mask.Bounds())
	copy(out.Pix, mask.Pix)
	if radius < 1 {
		return out
	}
	w, h := out.Rect.Dx(), out.Rect.Dy()
	row := make([]int, max(w, h))
	for range 2 {
		for y := range h {
			boxBlur(out.Pix[y*out.Stride:], 1, w, radius, row)
		}
		for x := range w {
			boxBlur(out.Pix[x:], out.Stride, h, radius, row)
		}
	}
	return out
}

func boxBlur(pix []uint8, step, n, radius int, buf []int) {
	for i := range n {
		buf[i] = int(pix[i*step])
	}
	sum, width := 0, 2*radius+1
	for i := range min(radius, n) {
		sum += buf[i]
	}
	for i := range n {
		if i+radius < n {
			sum += buf[i+radius]
		}
		if i-radius-1 >= 0 {
			sum -= buf[i-radius-1]
		}
		pix[i*step] = uint8(sum / width)
	}
}

// disc is a soft round light of a colour, 2r pixels wide.
func disc(c color.RGBA, r int, opacity float64) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, 2*r, 2*r))
	for y := range 2 * r {
		for x := range 2 * r {
			d := math.Hypot(float64(x-r)+0.5, float64(y-r)+0.5) / float64(r)
			if d < 1 {
				f := (1 - d*d) * (1 - d*d)
				img.SetNRGBA(x, y, color.NRGBA{c.R, c.G, c.B, uint8(255*opacity*f + 0.5)})
			}
		}
	}
	return img
}

func mix(a, b color.RGBA, f float64) color.RGBA {
	m := func(x, y uint8) uint8 { return uint8(float64(x) + (float64(y)-float64(x))*f + 0.5) }
	return color.RGBA{m(a.R, b.R), m(a.G, b.G), m(a.B, b.B), 255}
}
