package clip

import "golang.org/x/image/math/fixed"

// line is one line of clusters, without the spaces at its end.
type line struct {
	clusters []cluster
	width    fixed.Int26_6
}

// wrap breaks clusters into lines no wider than width, between words where it can, and says whether it had to break one.
func wrap(clusters []cluster, width fixed.Int26_6) (lines []line, broken bool) {
	for start := 0; start < len(clusters); {
		end, last, used := start, 0, fixed.Int26_6(0)
		for end < len(clusters) {
			c := clusters[end]
			if used+c.advance > width && end > start && !c.space {
				break
			}
			used += c.advance
			end++
			if c.breaks {
				last = end
			}
		}
		if end < len(clusters) {
			if last > start {
				end = last
			} else {
				broken = true
			}
		}
		lines = append(lines, trimmed(clusters[start:end]))
		for start = end; start < len(clusters) && clusters[start].space; start++ {
		}
	}
	return lines, broken
}

// balance wraps into as few lines as wrap does, but evenly, so that no word is left alone on the last one.
func balance(clusters []cluster, width fixed.Int26_6) (lines []line, broken bool) {
	lines, broken = wrap(clusters, width)
	if len(lines) < 2 || broken {
		return lines, broken
	}
	low, high := width/fixed.Int26_6(len(lines)+1), width
	for high-low > fixed.I(4) {
		middle := (low + high) / 2
		if even, torn := wrap(clusters, middle); torn || len(even) > len(lines) {
			low = middle
		} else {
			lines, high = even, middle
		}
	}
	return lines, false
}

func trimmed(clusters []cluster) line {
	for len(clusters) > 0 && clusters[len(clusters)-1].space {
		clusters = clusters[:len(clusters)-1]
	}
	l := line{clusters: clusters}
	for _, c := range clusters {
		l.width += c.advance
	}
	return l
}

// ellipsized is the line, cut to a width with an ellipsis in the style of its first cluster.
func (s *shaper) ellipsized(clusters []cluster, st style, width fixed.Int26_6) line {
	l := trimmed(clusters)
	if l.width <= width {
		return l
	}
	dots := s.shape("…", st)
	room := width - trimmed(dots).width
	for len(clusters) > 0 && trimmed(clusters).width > room {
		clusters = clusters[:len(clusters)-1]
	}
	return trimmed(append(append([]cluster(nil), trimmed(clusters).clusters...), dots...))
}
