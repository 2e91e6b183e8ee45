package clip

import (
	"strings"

	"golang.org/x/image/math/fixed"
)

var bodySizes = []float64{44, 40, 36, 33, 30, 27}

const (
	maxPages     = 8
	pageSeconds  = 2.4 // what a page should have, if the clip is long enough
	bodyTopShare = 0.24
)

// pages sets paragraphs as large as they can be on as many pages as there is time for. At the smallest size there are as many
// pages as it takes, up to maxPages; a text of many short lines is then run together, and what is still too much ends in an ellipsis.
func (c *composer) pages(paragraphs []string, seconds float64) ([][]line, style) {
	wanted := min(max(int(seconds/pageSeconds), 1), maxPages)
	for _, size := range bodySizes {
		if pages, st := c.set(paragraphs, size); len(pages) <= wanted {
			return pages, st
		}
	}
	smallest := bodySizes[len(bodySizes)-1]
	pages, st := c.set(paragraphs, smallest)
	if len(pages) > max(3, wanted) && len(paragraphs) > 1 {
		pages, st = c.set([]string{strings.Join(paragraphs, " · ")}, smallest)
	}
	if len(pages) > maxPages {
		pages = pages[:maxPages]
		end := pages[maxPages-1]
		clusters := append(append([]cluster(nil), end[len(end)-1].clusters...), c.shaper.shape(" …", st)...)
		end[len(end)-1] = c.shaper.ellipsized(clusters, st, c.bodyWidth())
	}
	return pages, st
}

func (c *composer) bodyWidth() fixed.Int26_6 { return fixed.I((c.Width - 2*c.margin) * 94 / 100) }

// set wraps paragraphs at a size and parts their lines into pages. An empty line parts paragraphs, except at a page's head.
func (c *composer) set(paragraphs []string, size float64) ([][]line, style) {
	st := c.style(size, false)
	room := max(2, int(float64(c.Height)*(0.92-bodyTopShare)/(st.size*bodyLead)))
	var all []line
	for i, p := range paragraphs {
		lines, _ := wrap(c.shaper.shape(p, st), c.bodyWidth())
		if i > 0 && len(lines) > 1 {
			all = append(all, line{})
		}
		all = append(all, lines...)
	}
	pages := paginate(all, room)
	if n := len(pages); n > 1 { // as many, but evenly filled
		for fewer := (len(all) + n - 1) / n; fewer < room; fewer++ {
			if even := paginate(all, fewer); len(even) <= n {
				return even, st
			}
		}
	}
	return pages, st
}

func paginate(lines []line, room int) [][]line {
	var pages [][]line
	for len(lines) > 0 {
		if lines[0].clusters == nil {
			lines = lines[1:]
			continue
		}
		n := min(room, len(lines))
		page := lines[:n]
		if page[n-1].clusters == nil {
			page = page[:n-1]
		}
		pages = append(pages, page)
		lines = lines[n:]
	}
	return pages
}
