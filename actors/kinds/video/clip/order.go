package clip

import (
	"slices"
	"strings"

	"golang.org/x/text/unicode/bidi"
)

// visual is the clusters of one line from left to right, in a text that begins from the right or not. Text that runs from right to left is turned; within it, numbers and foreign words
// keep their direction. Arabic letters are not joined.
func visual(clusters []cluster, right bool) []cluster {
	if !right && !slices.ContainsFunc(clusters, func(c cluster) bool { return rightToLeft(c.text) }) {
		return clusters
	}
	var text strings.Builder
	var owner []int // cluster of each character
	for i, c := range clusters {
		text.WriteString(c.text)
		for range c.text {
			owner = append(owner, i)
		}
	}
	var paragraph bidi.Paragraph
	var base []bidi.Option
	if right {
		base = append(base, bidi.DefaultDirection(bidi.RightToLeft))
	}
	if _, err := paragraph.SetString(text.String(), base...); err != nil {
		return clusters
	}
	order, err := paragraph.Order()
	if err != nil || order.NumRuns() == 0 {
		return clusters
	}
	var runs [][]cluster
	next := 0
	for i := range order.NumRuns() {
		run := order.Run(i)
		_, last := run.Pos()
		end := owner[min(last, len(owner)-1)] + 1
		if end <= next {
			continue
		}
		part := slices.Clone(clusters[next:end])
		next = end
		if run.Direction() == bidi.RightToLeft {
			slices.Reverse(part)
			for k := range part {
				part[k].text = mirrored(part[k].text)
			}
		}
		runs = append(runs, part)
	}
	runs = append(runs, clusters[next:])
	if right {
		slices.Reverse(runs)
	}
	return slices.Concat(runs...)
}

// mirrored is a single bracket's counterpart, and any other text as it is.
func mirrored(text string) string {
	if len([]rune(text)) == 1 {
		return bidi.ReverseString(text)
	}
	return text
}

func rightToLeft(text string) bool {
	for _, r := range text {
		p, _ := bidi.LookupRune(r)
		if c := p.Class(); c == bidi.R || c == bidi.AL {
			return true
		}
	}
	return false
}

// beginsRightToLeft says whether the first character with a direction runs from right to left.
func beginsRightToLeft(text string) bool {
	for _, r := range text {
		p, _ := bidi.LookupRune(r)
		switch p.Class() {
		case bidi.R, bidi.AL:
			return true
		case bidi.L:
			return false
		}
	}
	return false
}
