package clip

import (
	"image"
	"math"

	"golang.org/x/image/draw"
)

// photo is a picture behind the text: cropped to cover the frame, darkened toward the foot, where the text stands, and slowly
// approached.
type photo struct {
	picture *image.RGBA // photoScale times the frame, so that the approach is smooth
	zoom    float64     // at the end; 1 at the beginning
	dx, dy  float64     // where the approach leads, 0 to 1
}

const photoScale = 2

func newPhoto(p palette, source image.Image, width, height int) *photo {
	ph := &photo{picture: cover(source, width*photoScale, height*photoScale), zoom: 1.14, dx: 0.3 + 0.4*p.pick(100), dy: 0.25 + 0.4*p.pick(101)}
	b := ph.picture.Rect
	// a light picture is darkened more; white text needs a ground no lighter than about a third of white
	top := min(0.8, 0.42/max(ph.brightness(), 0.01))
	for y := range b.Dy() {
		v := float64(y) / float64(b.Dy())
		row := ph.picture.Pix[y*ph.picture.Stride:][:4*b.Dx()]
		shade := top * (1 - 0.6*math.Pow(v, 1.6))
		for x := range b.Dx() {
			keep := int(256 * shade * (0.8 + 0.2*float64(x)/float64(b.Dx())))
			for i := 4 * x; i < 4*x+3; i++ {
				row[i] = uint8(int(row[i]) * keep >> 8)
			}
		}
	}
	return ph
}

// brightness is the picture's mean, 0 to 1, of a sample.
func (ph *photo) brightness() float64 {
	sum, n := 0, 0
	for i := 0; i+3 < len(ph.picture.Pix); i += 4 * 97 {
		p := ph.picture.Pix[i:]
		sum += (3*int(p[0]) + 6*int(p[1]) + int(p[2])) / 10
		n++
	}
	return float64(sum) / float64(max(n, 1)) / 255
}

// cover scales a picture to fill a frame and cuts what stands over, in the middle of the width and a little above that of the height:
// where faces are.
func cover(source image.Image, width, height int) *image.RGBA {
	b := source.Bounds()
	crop := b
	if b.Dx()*height > b.Dy()*width {
		w := max(1, b.Dy()*width/height)
		crop.Min.X += (b.Dx() - w) / 2
		crop.Max.X = crop.Min.X + w
	} else {
		h := max(1, b.Dx()*height/width)
		crop.Min.Y += (b.Dy() - h) * 2 / 5
		crop.Max.Y = crop.Min.Y + h
	}
	out := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range out.Pix { // what is transparent shows a dark ground
		out.Pix[i] = 0x18 | uint8(i%4/3)*0xff
	}
	draw.BiLinear.Scale(out, out.Rect, source, crop, draw.Over, nil)
	return out
}

// paint draws the picture as it is after a part (0 to 1) of the clip, as large as dst.
func (ph *photo) paint(dst *image.RGBA, part float64) {
	b := ph.picture.Rect
	zoom := 1 + (ph.zoom-1)*part
	w, h := float64(b.Dx())/zoom, float64(b.Dy())/zoom
	x, y := (float64(b.Dx())-w)*ph.dx, (float64(b.Dy())-h)*ph.dy
	draw.ApproxBiLinear.Scale(dst, dst.Bounds(), ph.picture, image.Rect(int(x), int(y), int(x+w), int(y+h)), draw.Src, nil)
}
