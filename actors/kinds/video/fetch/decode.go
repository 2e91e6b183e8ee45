package fetch

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/draw"
	"golang.org/x/image/webp"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// DefaultMaxPixels bounds an image before it is decoded: a few kilobytes may claim to be gigapixels.
const DefaultMaxPixels = 40_000_000

// MaxEdge is the longest side of a decoded picture; a longer one is scaled down to it.
const MaxEdge = 2880

// format is an image format by its first bytes. The decoders are called by name, not through package image's registry: what other
// packages register there must not widen what strangers may feed us.
type format struct {
	name   string
	magic  string // '?' is any byte
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
}

var formats = []format{
	{"jpeg", "\xff\xd8\xff", jpeg.DecodeConfig, jpeg.Decode},
	{"png", "\x89PNG\r\n\x1a\n", png.DecodeConfig, png.Decode},
	{"gif", "GIF8?a", gif.DecodeConfig, gif.Decode},
	{"webp", "RIFF????WEBP", webp.DecodeConfig, webp.Decode},
}

// Decode reads a JPEG, PNG, GIF (its first frame) or WebP image of at most maxPixels pixels (0: DefaultMaxPixels), upright as its
// camera meant it and no longer than MaxEdge on either side. Its errors are permanent.
func Decode(data []byte, maxPixels int) (picture image.Image, err error) {
	defer func() {
		if r := recover(); r != nil { // a decoder that trips over hostile input is the input's fault
			picture, err = nil, job.Permanent(errors.New("the image is damaged"))
		}
	}()
	if maxPixels <= 0 {
		maxPixels = DefaultMaxPixels
	}
	f, ok := sniff(data)
	if !ok {
		return nil, job.Permanent(errors.New("not a JPEG, PNG, GIF or WebP image"))
	}
	config, err := f.config(bytes.NewReader(data))
	if err != nil {
		return nil, job.Permanent(fmt.Errorf("the %s image is damaged: %w", f.name, err))
	}
	if config.Width < 1 || config.Height < 1 || config.Width > maxPixels/config.Height {
		return nil, job.Permanent(fmt.Errorf("the image has %d x %d pixels: want 1 to %d in all", config.Width, config.Height, maxPixels))
	}
	picture, err = f.decode(bytes.NewReader(data))
	if err != nil {
		return nil, job.Permanent(fmt.Errorf("the %s image is damaged: %w", f.name, err))
	}
	picture = shrink(picture)
	if f.name == "jpeg" {
		picture = upright(picture, orientation(data))
	}
	return picture, nil
}

// shrink makes a picture no longer than MaxEdge on either side, before anything else copies it.
func shrink(picture image.Image) image.Image {
	b := picture.Bounds()
	longest := max(b.Dx(), b.Dy())
	if longest <= MaxEdge {
		return picture
	}
	small := image.NewRGBA(image.Rect(0, 0, max(1, b.Dx()*MaxEdge/longest), max(1, b.Dy()*MaxEdge/longest)))
	draw.BiLinear.Scale(small, small.Bounds(), picture, b, draw.Src, nil)
	return small
}

func sniff(data []byte) (format, bool) {
next:
	for _, f := range formats {
		if len(data) < len(f.magic) {
			continue
		}
		for i := range len(f.magic) {
			if f.magic[i] != '?' && f.magic[i] != data[i] {
				continue next
			}
		}
		return f, true
	}
	return format{}, false
}
