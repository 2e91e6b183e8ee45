package fetch

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"
)

// lossless is a WebP image of 1 x 1 pixels.
const lossless = "UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA=="

func picture(w, h int) *image.Paletted {
	p := image.NewPaletted(image.Rect(0, 0, w, h), color.Palette{color.Black, color.White})
	p.SetColorIndex(0, 0, 1)
	return p
}

func encoded(t *testing.T, encode func(*bytes.Buffer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := encode(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestDecode(t *testing.T) {
	p := picture(40, 30)
	jpg := encoded(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, p, nil) })
	webp, err := base64.StdEncoding.DecodeString(lossless)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		data []byte
		size image.Point
	}{
		"png":  {encoded(t, func(b *bytes.Buffer) error { return png.Encode(b, p) }), image.Pt(40, 30)},
		"gif":  {encoded(t, func(b *bytes.Buffer) error { return gif.Encode(b, p, nil) }), image.Pt(40, 30)},
		"jpeg": {jpg, image.Pt(40, 30)},
		"webp": {webp, image.Pt(1, 1)},
		"long": {encoded(t, func(b *bytes.Buffer) error { return png.Encode(b, picture(2*MaxEdge, 3)) }), image.Pt(MaxEdge, 1)},
		"lies": {turned(jpg, 6), image.Pt(30, 40)},
	} {
		got, err := Decode(c.data, 0)
		if err != nil || got.Bounds().Size() != c.size {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	good := encoded(t, func(b *bytes.Buffer) error { return png.Encode(b, picture(40, 30)) })
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"empty":      {nil, "not a"},
		"text":       {[]byte("<html>hello</html>"), "not a"},
		"svg":        {[]byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), "not a"},
		"mp4":        {[]byte("\x00\x00\x00\x18ftypmp42"), "not a"},
		"cut":        {good[:len(good)/2], "damaged"},
		"magic only": {[]byte("\xff\xd8\xff"), "damaged"},
		"webp magic": {[]byte("RIFF\x04\x00\x00\x00WEBP"), "damaged"},
		"bomb":       {bomb(100_000, 100_000), "pixels"},
		"thin bomb":  {bomb(1<<31-1, 1), "pixels"},
		"no pixels":  {bomb(0, 5), ""},
	} {
		if _, err := Decode(c.data, 0); outcome(err) != "permanent" || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Decode(good, 40*30-1); outcome(err) != "permanent" {
		t.Errorf("one pixel too many: %v", err)
	}
}

// bomb is the beginning of a PNG that claims a size.
func bomb(w, h uint32) []byte {
	head := binary.BigEndian.AppendUint32([]byte("IHDR"), w)
	head = append(binary.BigEndian.AppendUint32(head, h), 8, 2, 0, 0, 0)
	data := binary.BigEndian.AppendUint32([]byte("\x89PNG\r\n\x1a\n"), 13)
	return binary.BigEndian.AppendUint32(append(data, head...), crc32.ChecksumIEEE(head))
}

// turned is a JPEG with an EXIF orientation.
func turned(jpg []byte, orientation byte) []byte {
	tiff := []byte{'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0}
	exif := append([]byte{0xff, 0xe1, 0, byte(2 + 6 + len(tiff))}, "Exif\x00\x00"...)
	return append(append(append([]byte{0xff, 0xd8}, exif...), tiff...), jpg[2:]...)
}

func TestUpright(t *testing.T) {
	// the bright pixel at the top left of the stored picture, and where each orientation shows it in a 3 x 2 picture
	for o, want := range map[int]image.Point{1: {0, 0}, 2: {2, 0}, 3: {2, 1}, 4: {0, 1}, 5: {0, 0}, 6: {1, 0}, 7: {1, 2}, 8: {0, 2}} {
		got := upright(picture(3, 2), o)
		if r, _, _, _ := got.At(want.X, want.Y).RGBA(); r != 0xffff {
			t.Errorf("orientation %d: the bright pixel is not at %v", o, want)
		}
	}
	for _, broken := range [][]byte{nil, {0xff, 0xd8}, {0xff, 0xd8, 0xff, 0xe1, 0xff, 0xff}, []byte("\xff\xd8\xff\xe1\x00\x12Exif\x00\x00MM\x00*\xff\xff\xff\xff..")} {
		if o := orientation(broken); o != 1 {
			t.Errorf("%q: orientation %d", broken, o)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("GIF89a"))
	f.Add(bomb(3, 3))
	f.Fuzz(func(t *testing.T, data []byte) {
		if p, err := Decode(data, 100_000); err != nil && outcome(err) != "permanent" {
			t.Errorf("%v, %v", p, err)
		}
	})
}
