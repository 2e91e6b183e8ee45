package clip

import (
	"image"
	"image/color"
	"image/draw"
	"strings"
	"unicode/utf8"

	"golang.org/x/image/math/fixed"
)

var headlineSizes = []float64{132, 120, 108, 98, 88, 80, 72, 65, 58, 52, 46, 40}

const (
	headlineLead = 1.12
	bodyLead     = 1.42
	maxSupport   = 170 // characters that may stand below a headline rather than on a page of their own
)

// fit finds the largest size at which a headline is whole words on few lines.
func (c *composer) fit(text string) (lines []line, st style) {
	width := fixed.I(c.Width - 2*c.margin)
	for _, size := range headlineSizes {
		st = c.style(size, true)
		var broken bool
		lines, broken = balance(c.shaper.shape(text, st), width)
		most := 3
		if size < 70 {
			most = 4
		}
		if !broken && len(lines) <= most && float64(len(lines))*st.size*headlineLead < 0.56*float64(c.Height) {
			return lines, st
		}
	}
	return lines[:min(len(lines), 6)], st
}

// headline lays out the first scene, and the pages that follow it if the text is long.
func (c *composer) headline(text string, paragraphs []string) {
	lines, st := c.fit(text)
	support, supportStyle := c.support(paragraphs)
	end := c.Duration + 1
	var pages [][]line
	var pageStyle style
	if support == nil && len(paragraphs) > 0 {
		end = min(max(0.28*c.Duration, 0.7), 3)
		pages, pageStyle = c.pages(paragraphs, c.Duration-end)
	}
	headHeight := int(st.size * (headlineLead*float64(len(lines)-1) + 1.25))
	height := c.px(40) + headHeight
	if support != nil {
		height += c.px(22) + int(supportStyle.size*bodyLead*float64(len(support)))
	}
	top := (c.Height - height) / 2
	if c.photo != nil {
		top = c.Height - height - c.px(70)
	}
	top = max(top, c.px(30))
	c.show(c.bar(c.px(92), top), 0.1*c.pace(), end, 0.35, 0.25, 0)
	y := top + c.px(34)
	delay := 0.15
	for _, l := range lines { // line after line
		c.show(c.block([]line{l}, st, headlineLead, c.ink(white), y), delay*c.pace(), end, 0.5, 0.25, 34)
		y += int(st.size * headlineLead)
		delay += 0.14
	}
	if support != nil {
		y = top + c.px(34) + headHeight + c.px(22)
		c.show(c.block(support, supportStyle, bodyLead, c.ink(soft), y), (delay+0.35)*c.pace(), end, 0.6, 0.25, 18)
	}
	c.poster = min((delay+1.6)*c.pace(), end-0.26*c.pace(), c.Duration*0.9)
	c.read(text, pages, pageStyle, end)
	c.show(c.foot(), 0, c.Duration+1, 0, 0, 0)
}

// support is a short rest of the text as a few lines below the headline, or nil if it needs pages.
func (c *composer) support(paragraphs []string) ([]line, style) {
	if len(paragraphs) == 0 || utf8.RuneCountInString(strings.Join(paragraphs, " ")) > maxSupport {
		return nil, style{}
	}
	st := c.style(33, false)
	var lines []line
	for _, p := range paragraphs {
		more, _ := balance(c.shaper.shape(p, st), fixed.I((c.Width-2*c.margin)*9/10))
		lines = append(lines, more...)
	}
	if len(lines) > 4 {
		return nil, style{}
	}
	return lines, st
}

// read shows pages one after the other, each as long as its share of the text, under a small repetition of the headline.
func (c *composer) read(headline string, pages [][]line, st style, from float64) {
	if len(pages) == 0 {
		return
	}
	end := c.Duration + 1
	if c.photo != nil {
		dim := image.NewRGBA(image.Rect(0, 0, c.Width, c.Height))
		draw.Draw(dim, dim.Rect, image.NewUniform(color.RGBA{A: 140}), image.Point{}, draw.Src)
		c.show(layer{picture: dim}, from-0.2*c.pace(), end, 0.4, 0, 0)
	}
	small := c.style(30, true)
	top := c.px(78)
	heading := c.shaper.ellipsized(c.shaper.shape(headline, small), small, fixed.I(c.Width-2*c.margin))
	c.show(c.bar(c.px(56), top), from, end, 0.3, 0, 0)
	c.show(c.block([]line{heading}, small, 1, c.ink(c.palette.accent), top+c.px(16)), from, end, 0.3, 0, 0)
	weights, all := make([]float64, len(pages)), 0.0
	for i, page := range pages {
		weights[i] = 3 + float64(len(page))
		all += weights[i]
	}
	for i, page := range pages {
		until := from + (c.Duration-from)*weights[i]/all
		all -= weights[i]
		out := 0.22
		stop := until
		if i == len(pages)-1 {
			stop, out = end, 0
		}
		c.show(c.block(page, st, bodyLead, c.ink(soft), top+c.px(84)), from, stop, 0.3, out, 16)
		from = until
	}
}

// foot is the thin line at the foot that grows with the clip; it slides in from the left.
func (c *composer) foot() layer {
	picture := image.NewRGBA(image.Rect(0, 0, c.Width, max(c.px(5), 2)))
	draw.Draw(picture, picture.Rect, image.NewUniform(c.palette.accent), image.Point{}, draw.Src)
	return layer{picture: picture, at: image.Pt(-c.Width, c.Height-picture.Rect.Dy()), slide: float64(c.Width) / c.Duration}
}
