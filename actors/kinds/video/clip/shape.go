package clip

import (
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// shaper measures text with faces of its own: a face may be used by one goroutine only.
type shaper struct {
	fonts   *Fonts
	faces   map[faceKey]font.Face
	buf     sfnt.Buffer
	missing map[string]struct{} // clusters that no font could draw
}

type faceKey struct {
	font *sfnt.Font
	size float64
}

// style is a size in pixels and a weight.
type style struct {
	size float64
	bold bool
}

// cluster is what is drawn and wrapped as one: a character with its marks, or an emoji sequence.
type cluster struct {
	text    string
	face    font.Face // nil: no font has it, a box stands for it
	advance fixed.Int26_6
	space   bool
	breaks  bool // a line may end after it
}

func newShaper(fonts *Fonts) *shaper {
	return &shaper{fonts: fonts, faces: map[faceKey]font.Face{}, missing: map[string]struct{}{}}
}

func (s *shaper) face(f *sfnt.Font, size float64) font.Face {
	key := faceKey{f, size}
	if face, ok := s.faces[key]; ok {
		return face
	}
	face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		return nil
	}
	s.faces[key] = face
	return face
}

// shape parts a text into clusters of a style.
func (s *shaper) shape(text string, st style) []cluster {
	var clusters []cluster
	runes := []rune(text)
	for from := 0; from < len(runes); {
		to := from + clusterLen(runes[from:])
		if c, ok := s.cluster(runes[from:to], st); ok {
			clusters = append(clusters, c)
		}
		from = to
	}
	return clusters
}

// clusterLen is how many characters belong to the first of them.
func clusterLen(runes []rune) int {
	n := 1
	if regional(runes[0]) && len(runes) > 1 && regional(runes[1]) {
		return 2
	}
	for n < len(runes) {
		switch r := runes[n]; {
		case r == '\u200d' && n+1 < len(runes) && emoji(runes[n+1]):
			n += 2
		case unicode.Is(unicode.M, r), ignorable(r), r >= 0x1f3fb && r <= 0x1f3ff && emoji(runes[0]):
			n++
		default:
			return n
		}
	}
	return n
}

func (s *shaper) cluster(runes []rune, st style) (cluster, bool) {
	drawn := make([]rune, 0, len(runes))
	for _, r := range runes {
		if !ignorable(r) {
			drawn = append(drawn, r)
		}
	}
	if len(drawn) == 0 {
		return cluster{}, false
	}
	c := cluster{text: string(drawn), space: unicode.IsSpace(drawn[0])}
	c.breaks = c.space || drawn[len(drawn)-1] == '-' || ideographic(drawn[0]) || emoji(drawn[0])
	if c.face = s.faceFor(drawn, st); c.face == nil && len(drawn) > 1 && emoji(drawn[0]) && !regional(drawn[0]) {
		// a sequence of emoji that is not drawn as one: its first one says most of it
		c.face = s.faceFor(drawn[:1], st)
		c.text = string(drawn[:1])
	}
	if c.face == nil {
		s.missing[string(drawn)] = struct{}{}
		c.text, c.advance = string(drawn), fixed.Int26_6(st.size*0.8*64)
		return c, true
	}
	c.advance = font.MeasureString(c.face, c.text)
	return c, true
}

// faceFor is the first face that has every character and can draw it.
func (s *shaper) faceFor(runes []rune, st style) font.Face {
	fonts := builtin()
	base := fonts[0]
	if st.bold {
		base = fonts[1]
	}
	if face := s.draws(base, runes, st.size); face != nil {
		return face
	}
	for _, f := range s.fonts.system() {
		if face := s.draws(f, runes, st.size); face != nil {
			return face
		}
	}
	return nil
}

func (s *shaper) draws(f *sfnt.Font, runes []rune, size float64) font.Face {
	for _, r := range runes {
		if i, err := f.GlyphIndex(&s.buf, r); err != nil || i == 0 {
			return nil
		}
	}
	face := s.face(f, size)
	if face == nil {
		return nil
	}
	for _, r := range runes {
		if _, _, ok := face.GlyphBounds(r); !ok { // a bitmap or colour glyph
			return nil
		}
	}
	return face
}

func regional(r rune) bool { return r >= 0x1f1e6 && r <= 0x1f1ff }

func emoji(r rune) bool { return r >= 0x1f000 && r <= 0x1faff || r >= 0x2600 && r <= 0x27bf }

func ideographic(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) || r >= 0x3000 && r <= 0x303f || r >= 0xff00 && r <= 0xff60
}
