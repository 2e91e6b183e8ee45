package clip

import (
	"image"
	"image/color"
	"math"
	"testing"
	"time"
)

var small = Spec{Duration: MinDuration, Width: 320, Height: 180, FPS: 10}

// Every text gives a scene whose layers are within bounds in number, time and place.
func TestComposeIsBounded(t *testing.T) {
	fonts := &Fonts{}
	for name, text := range hostile {
		for _, d := range []time.Duration{0, 6 * time.Second, time.Hour} {
			began := time.Now()
			s := Compose(Spec{Text: text, Duration: d, Width: 480, Height: 271, FPS: 1000}, fonts)
			if len(s.layers) < 5 || len(s.layers) > 30 || s.Height != 270 || s.FPS != MaxFPS || s.Duration < 2 || s.Duration > 30 {
				t.Errorf("%s: %d layers, %d x %d at %d, %gs", name, len(s.layers), s.Width, s.Height, s.FPS, s.Duration)
			}
			for i, l := range s.layers {
				size := l.picture.Rect.Size()
				if l.start < 0 || l.start >= s.Duration || l.end <= l.start || l.fadeIn < 0 || size.X > 2*s.Width || size.Y > 2*s.Height || size.X < 1 || size.Y < 1 {
					t.Errorf("%s: layer %d of %v from %g to %g", name, i, size, l.start, l.end)
				}
			}
			if s.poster < 0 || s.poster > s.Duration {
				t.Errorf("%s: poster at %g", name, s.poster)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("%s: %s", name, took)
			}
		}
	}
}

func TestTheSameTextLooksTheSameAndAnotherDoesNot(t *testing.T) {
	spec := small
	spec.Text = "One"
	a, b := Compose(spec, &Fonts{}).Poster(), Compose(spec, &Fonts{}).Poster()
	spec.Text = "Two"
	c := Compose(spec, &Fonts{}).Poster()
	if string(a.Pix) != string(b.Pix) {
		t.Error("the same text gives two posters")
	}
	different := 0
	for i := range a.Pix {
		if d := int(a.Pix[i]) - int(c.Pix[i]); d*d > 100 {
			different++
		}
	}
	if different < len(a.Pix)/10 {
		t.Errorf("two texts differ in %d of %d values", different, len(a.Pix))
	}
}

// White text on every palette is legible: a contrast of 4.5 or more on each of its lights.
func TestContrast(t *testing.T) {
	for i := range 500 {
		p := paletteOf(string(rune('a'+i%26)) + string(rune(i)))
		for _, c := range append(p.glow[:], p.ground[:]...) {
			if ratio := 1.05 / (luminance(c) + 0.05); ratio < 4.5 {
				t.Fatalf("palette %d: white on %v has a contrast of %.1f", i, c, ratio)
			}
		}
	}
	for _, shade := range []uint8{0, 90, 180, 255} { // and over any picture
		plain := image.NewUniform(color.Gray{shade})
		flat := image.NewRGBA(image.Rect(0, 0, 200, 400))
		for i := range flat.Pix {
			flat.Pix[i] = plain.C.(color.Gray).Y | uint8(i%4/3)*255
		}
		spec := small
		spec.Picture = flat
		frame := Compose(spec, &Fonts{}).Poster()
		if ratio := 1.05 / (luminance(frame.RGBAAt(frame.Rect.Dx()/4, frame.Rect.Dy()/3)) + 0.05); ratio < 4.5 {
			t.Errorf("white over a picture of %d has a contrast of %.1f", shade, ratio)
		}
	}
}

func luminance(c color.RGBA) float64 {
	linear := func(v uint8) float64 {
		x := float64(v) / 255
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
}

func TestPicturesOfAnyShapeCover(t *testing.T) {
	for _, size := range []image.Point{{1, 1}, {1, 3000}, {3000, 1}, {640, 480}, {90, 160}} {
		spec := small
		spec.Text, spec.Picture = "Over a picture", image.NewNRGBA(image.Rectangle{Max: size})
		frame := Compose(spec, &Fonts{}).Poster()
		if c := frame.RGBAAt(1, 1); c.A != 255 {
			t.Errorf("%v: the corner is %v", size, c)
		}
	}
}

func FuzzCompose(f *testing.F) {
	for _, text := range hostile {
		f.Add(text)
	}
	fonts := &Fonts{}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 4000 {
			return
		}
		defer time.AfterFunc(5*time.Second, func() { panic("not within 5 s") }).Stop()
		s := Compose(Spec{Text: text, Width: MinWidth, Height: MinHeight}, fonts)
		if len(s.layers) > 30 || s.Poster() == nil {
			t.Errorf("%d layers", len(s.layers))
		}
	})
}
