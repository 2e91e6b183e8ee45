package clip

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Clean is the text as it can be drawn: composed (NFC), without control characters, and with no more than one space or one
// empty line in a row. It may be empty.
func Clean(text string) string {
	text = norm.NFC.String(strings.ToValidUTF8(text, "\uFFFD"))
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\v", "\n", "\f", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n\n").Replace(text)
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.Join(strings.FieldsFunc(line, blank), " ")
		if !Visible(line) {
			line = ""
		}
		if line != "" || (len(lines) > 0 && lines[len(lines)-1] != "") {
			lines = append(lines, line)
		}
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

// Visible says whether a text has anything to draw.
func Visible(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return !blank(r) && !ignorable(r) && !unicode.Is(unicode.M, r) })
}

func blank(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || r == '\u2800' || r == '\u3164'
}

// ignorable characters steer others and have no shape of their own: joiners, variation selectors, bidi marks, tags.
func ignorable(r rune) bool {
	return unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Variation_Selector, r) || r == '\u034f'
}
