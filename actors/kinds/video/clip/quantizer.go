package clip

import (
	"cmp"
	"image"
	"image/color"
	"slices"
)

// quantizer maps colours to the few that a GIF has.
type quantizer struct {
	palette color.Palette
	nearest [1 << 15]uint8 // by 5 bits of each channel
}

type rgb [3]uint8

// newQuantizer chooses the colours by median cut over a sample of the scene's frames.
func newQuantizer(s *Scene) *quantizer {
	var sample []rgb
	for i := range 5 {
		frame := s.paint(s.Duration * (float64(i) + 0.5) / 5)
		for p := 0; p+3 < len(frame.Pix); p += 4 * 13 {
			sample = append(sample, rgb(frame.Pix[p:p+3]))
		}
	}
	q := &quantizer{palette: color.Palette{color.RGBA{A: 255}, white}}
	for _, c := range medianCut(sample, gifColors-len(q.palette)) {
		q.palette = append(q.palette, color.RGBA{c[0], c[1], c[2], 255})
	}
	for i := range q.nearest {
		r, g, b := i>>10, i>>5&31, i&31
		q.nearest[i] = uint8(q.palette.Index(color.RGBA{uint8(r<<3 | r>>2), uint8(g<<3 | g>>2), uint8(b<<3 | b>>2), 255}))
	}
	return q
}

// medianCut parts the sample into n boxes, halving the one with the most in it times its length each time, and returns their means.
func medianCut(sample []rgb, n int) []rgb {
	boxes := [][]rgb{sample}
	for len(boxes) < n {
		widest, axis, most := -1, 0, 0
		for i, b := range boxes {
			a, length := longest(b)
			if weight := length * length * (len(b)/64 + 1); length > 0 && weight > most {
				widest, axis, most = i, a, weight
			}
		}
		if widest < 0 {
			break
		}
		b := boxes[widest]
		slices.SortFunc(b, func(x, y rgb) int { return cmp.Compare(x[axis], y[axis]) })
		boxes[widest] = b[:len(b)/2]
		boxes = append(boxes, b[len(b)/2:])
	}
	means := make([]rgb, 0, len(boxes))
	for _, b := range boxes {
		var sum [3]int
		for _, c := range b {
			for k := range sum {
				sum[k] += int(c[k])
			}
		}
		if len(b) > 0 {
			means = append(means, rgb{uint8(sum[0] / len(b)), uint8(sum[1] / len(b)), uint8(sum[2] / len(b))})
		}
	}
	return means
}

// longest is the channel in which the colours differ most, and by how much.
func longest(colours []rgb) (axis, length int) {
	for k := range 3 {
		low, high := 255, 0
		for _, c := range colours {
			low, high = min(low, int(c[k])), max(high, int(c[k]))
		}
		if high-low > length {
			axis, length = k, high-low
		}
	}
	return axis, length
}

// dither is a 4 x 4 pattern of thresholds. Unlike spreading the error it does not flicker from frame to frame.
var dither = [16]int{0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5}

// frame is the picture in the few colours.
func (q *quantizer) frame(from *image.RGBA) *image.Paletted {
	to := image.NewPaletted(from.Rect, q.palette)
	for y := range from.Rect.Dy() {
		row := from.Pix[y*from.Stride:]
		for x := range from.Rect.Dx() {
			shift := dither[y&3<<2|x&3] - 8
			index := 0
			for k := range 3 {
				index = index<<5 | min(max(int(row[4*x+k])+shift, 0), 255)>>3
			}
			to.Pix[y*to.Stride+x] = q.nearest[index]
		}
	}
	return to
}
