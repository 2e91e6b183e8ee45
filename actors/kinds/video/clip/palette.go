package clip

import (
	"hash/fnv"
	"image/color"
	"math"
)

// palette colours a clip. It is derived from the text, so that two texts look different and one text always looks the same.
type palette struct {
	seed   uint64
	ground [2]color.RGBA // the backdrop, from the top left to the bottom right: dark, for white text
	glow   [3]color.RGBA // the lights that drift over it
	accent color.RGBA
}

func paletteOf(text string) palette {
	h := fnv.New64a()
	_, _ = h.Write([]byte(text))
	seed := h.Sum64()
	seed ^= seed >> 33
	seed *= 0xff51afd7ed558ccd // FNV's low bits alone hardly differ for like texts
	seed ^= seed >> 33
	hue := float64(seed%360) * math.Pi / 180
	spread := 0.5 + float64(seed>>16%100)/100 // radians between neighbouring lights
	if seed>>32%2 == 0 {
		spread = -spread
	}
	return palette{
		seed:   seed,
		ground: [2]color.RGBA{oklch(0.27, 0.10, hue), oklch(0.18, 0.07, hue+spread)},
		glow:   [3]color.RGBA{oklch(0.55, 0.20, hue), oklch(0.52, 0.19, hue+spread), oklch(0.48, 0.18, hue+2*spread)},
		accent: oklch(0.82, 0.15, hue+math.Pi*0.8),
	}
}

// pick is a number from 0 to 1 that depends on the seed and on what it is for.
func (p palette) pick(what uint64) float64 {
	x := p.seed + what*0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return float64((x^x>>31)>>11) / (1 << 53)
}

// oklch is the sRGB colour of a perceptual lightness (0 to 1), chroma and hue (radians). Unlike HSL, equal lightness looks equally
// light in every hue, so that white text stays legible on all of them. Chroma that sRGB lacks is taken back.
func oklch(l, c, h float64) color.RGBA {
	for ; c > 0; c -= 0.005 {
		if rgb, ok := oklab(l, c*math.Cos(h), c*math.Sin(h)); ok {
			return rgb
		}
	}
	rgb, _ := oklab(l, 0, 0)
	return rgb
}

func oklab(l, a, b float64) (color.RGBA, bool) {
	cube := func(x float64) float64 { return x * x * x }
	lc := cube(l + 0.3963377774*a + 0.2158037573*b)
	mc := cube(l - 0.1055613458*a - 0.0638541728*b)
	sc := cube(l - 0.0894841775*a - 1.2914855480*b)
	inside := true
	channel := func(x float64) uint8 {
		if x < -0.0005 || x > 1.0005 {
			inside = false
		}
		x = min(max(x, 0), 1)
		if x <= 0.0031308 {
			x *= 12.92
		} else {
			x = 1.055*math.Pow(x, 1/2.4) - 0.055
		}
		return uint8(math.Round(x * 255))
	}
	rgb := color.RGBA{
		R: channel(4.0767416621*lc - 3.3077115913*mc + 0.2309699292*sc),
		G: channel(-1.2684380046*lc + 2.6097574011*mc - 0.3413193965*sc),
		B: channel(-0.0041960863*lc - 0.7034186147*mc + 1.7076147010*sc),
		A: 255,
	}
	return rgb, inside
}
