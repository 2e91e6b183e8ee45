package clip

import (
	"strings"
	"unicode"
)

// maxHeadline is the most characters a headline has.
const maxHeadline = 90

// split parts a cleaned text into its headline (the first sentence, or as much of it as a headline can hold) and the
// paragraphs that support it.
func split(text string) (headline string, paragraphs []string) {
	first, rest, _ := strings.Cut(text, "\n")
	runes := []rune(first)
	end := sentence(runes)
	if end <= maxHeadline {
		headline = strings.TrimSpace(string(runes[:end]))
	} else {
		end = clause(runes[:maxHeadline])
		headline = strings.TrimRight(string(runes[:end]), " ,،、，:;–—") + "…"
	}
	if tail := strings.TrimSpace(string(runes[end:])); tail != "" {
		rest = tail + "\n" + rest
	}
	for line := range strings.SplitSeq(rest, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			paragraphs = append(paragraphs, line)
		}
	}
	return headline, paragraphs
}

// sentence is where the first sentence ends.
func sentence(runes []rune) int {
	for i, r := range runes {
		switch r {
		case '。', '！', '？', '।', '؟', '۔':
			return i + 1
		case '.', '!', '?', '…':
			// "3.5", "e.g. this" and "?!" are not ends
			if i+1 == len(runes) || (i > 2 && runes[i+1] == ' ' && i+2 < len(runes) && !unicode.IsLower(runes[i+2])) {
				return i + 1
			}
		}
	}
	return len(runes)
}

// clause is the best place to cut a sentence that is too long for a headline: after a colon, dash or comma, or else between two
// words; the whole if it is one long word.
func clause(runes []rune) int {
	for _, marks := range []string{":;", "–—", ",،、，", " "} {
		for i := len(runes) - 1; i >= len(runes)/4; i-- {
			if strings.ContainsRune(marks, runes[i]) && (marks != ":;" || i+1 == len(runes) || runes[i+1] == ' ') {
				return i + 1
			}
		}
	}
	return len(runes)
}
