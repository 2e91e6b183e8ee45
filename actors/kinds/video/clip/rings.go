package clip

import (
	"image"
	"image/color"
	"math"
)

// rings are a few thin circles that stand partly out of the frame, on the side where the text is not.
func (c *composer) rings() {
	if c.photo != nil {
		return
	}
	h := float64(c.Height)
	radii := []float64{0.30 * h, 0.46 * h, 0.62 * h}
	stroke := max(1, 1.6*c.unit)
	cx, cy := float64(c.Width)*(0.86+0.08*c.palette.pick(300)), h*(0.12+0.76*math.Round(c.palette.pick(301)))
	if c.right {
		cx = float64(c.Width) - cx
	}
	for i, r := range radii {
		box := image.Rect(int(cx-r-3), int(cy-r-3), int(cx+r+4), int(cy+r+4)).Intersect(image.Rect(0, 0, c.Width, c.Height))
		picture := image.NewRGBA(image.Rect(0, 0, box.Dx(), box.Dy()))
		for y := range box.Dy() {
			for x := range box.Dx() {
				off := math.Abs(math.Hypot(float64(x+box.Min.X)+0.5-cx, float64(y+box.Min.Y)+0.5-cy) - r)
				if cover := min(max(stroke/2+0.5-off, 0), 1); cover > 0 {
					v := uint8(255 * cover * (0.26 - 0.06*float64(i)))
					picture.SetRGBA(x, y, color.RGBA{v, v, v, v})
				}
			}
		}
		c.show(layer{picture: picture, at: box.Min}, 0.1+0.25*float64(i)*c.pace(), c.Duration+1, 1.2, 0, 0)
	}
}
