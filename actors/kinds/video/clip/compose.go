package clip

import (
	"image"
	"image/color"
	"maps"
	"slices"

	"golang.org/x/image/math/fixed"
)

// Compose lays a clip out. The same spec and fonts give the same scene. A text without anything to draw gives a clip without text.
func Compose(spec Spec, fonts *Fonts) *Scene {
	spec = spec.bounded()
	text := Clean(spec.Text)
	s := &Scene{Width: spec.Width, Height: spec.Height, FPS: spec.FPS, Duration: spec.Duration.Seconds(), palette: paletteOf(text)}
	if spec.Picture != nil {
		s.photo = newPhoto(s.palette, spec.Picture, s.Width, s.Height)
	} else {
		s.backdrop = newBackdrop(s.palette, s.Width, s.Height)
	}
	c := &composer{Scene: s, shaper: newShaper(fonts), unit: min(float64(s.Height)/720, float64(s.Width)/1280)}
	c.margin = int(float64(s.Width) * 0.075)
	c.right = beginsRightToLeft(text)
	c.rings()
	headline, paragraphs := split(text)
	if headline != "" {
		c.headline(headline, paragraphs)
	}
	c.badge(spec.Badge)
	s.Missing = slices.Sorted(maps.Keys(c.shaper.missing))
	return s
}

// composer holds what layout needs and the scene does not.
type composer struct {
	*Scene
	shaper *shaper
	unit   float64 // pixels for a pixel of 720 lines
	margin int
	right  bool // the text runs from right to left, and stands at the right
}

func (c *composer) px(n float64) int { return int(n*c.unit + 0.5) }

func (c *composer) style(size float64, bold bool) style { return style{max(size*c.unit, 7), bold} }

func (c *composer) ink(colour color.RGBA) ink {
	return ink{colour: colour, blur: max(1, c.px(7)), shadow: 0.75}
}

var (
	white = color.RGBA{255, 255, 255, 255}
	soft  = color.RGBA{232, 234, 240, 255}
)

// block draws lines of one style below each other and returns a layer without times; top is the first line's upper edge.
// The layer's picture has a margin for its shadow, which the place accounts for.
func (c *composer) block(lines []line, st style, lead float64, in ink, top int) layer {
	pad, step := 2*in.blur+2, st.size*lead
	width := fixed.Int26_6(0)
	for _, l := range lines {
		width = max(width, l.width)
	}
	w := width.Ceil() + c.px(8)
	// letters hang below the baseline by a quarter; marks may stand above the letters
	mask := image.NewAlpha(image.Rect(0, 0, w+2*pad, int(step*float64(len(lines)-1)+st.size*1.5)+2*pad))
	for i, l := range lines {
		x := pad
		if c.right {
			x = pad + w - l.width.Ceil()
		}
		drawLine(mask, l, st, c.right, x, pad+int(st.size*1.1+step*float64(i)))
	}
	left := c.margin
	if c.right {
		left = c.Width - c.margin - w
	}
	return layer{picture: coloured(mask, in), at: image.Pt(left-pad, top-pad)}
}

// bar is the short line of the accent colour that leads a headline.
func (c *composer) bar(width, top int) layer {
	picture := image.NewRGBA(image.Rect(0, 0, max(width, 2), max(c.px(7), 2)))
	for i := range picture.Pix {
		picture.Pix[i] = [4]uint8{c.palette.accent.R, c.palette.accent.G, c.palette.accent.B, 255}[i%4]
	}
	left := c.margin
	if c.right {
		left = c.Width - c.margin - picture.Rect.Dx()
	}
	return layer{picture: picture, at: image.Pt(left, top)}
}

// show adds a layer with its times.
func (c *composer) show(l layer, start, end, fadeIn, fadeOut, rise float64) {
	l.start, l.end, l.fadeIn, l.fadeOut, l.rise = start, end, fadeIn*c.pace(), fadeOut*c.pace(), rise*c.unit
	c.layers = append(c.layers, l)
}

func (c *composer) badge(text string) {
	if text == "" {
		return
	}
	st := c.style(22, true)
	st.size = max(st.size, 11)
	l := trimmed(c.shaper.shape(text, st))
	pad := int(st.size * 0.6)
	mask := image.NewAlpha(image.Rect(0, 0, l.width.Ceil()+2*pad, int(st.size*1.9)))
	drawLine(mask, l, st, false, pad, int(st.size*1.28))
	picture := coloured(mask, ink{colour: white})
	for i := 3; i < len(picture.Pix); i += 4 { // on a dark plate
		picture.Pix[i] = max(picture.Pix[i], 150)
	}
	at := image.Pt(c.Width-picture.Rect.Dx()-c.px(20), c.px(20))
	c.show(layer{picture: picture, at: at}, 0, c.Duration+1, 0, 0, 0)
}
