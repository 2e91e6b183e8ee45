package clip

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/image/math/fixed"
)

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"  a \t b  ":                   "a b",
		"a\r\nb\rc\n\n\n\nd\n":         "a\nb\nc\n\nd",
		"a\x00\x1bb":                   "a b",
		"e\u0301":                      "é",
		" \u200b\u200d\n\u3164 ":       "",
		"\xff":                         "\ufffd",
		"x\u2029y":                     "x\n\ny",
		"\u202eabc":                    "\u202eabc",
		strings.Repeat("\n", 50) + "a": "a",
	} {
		if got := Clean(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	for name, text := range hostile {
		got := Clean(text)
		if !utf8.ValidString(got) || strings.ContainsFunc(got, func(r rune) bool { return r != '\n' && unicode.IsControl(r) }) || Clean(got) != got {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestSplit(t *testing.T) {
	for text, want := range map[string][]string{
		"Wake up.":                          {"Wake up."},
		"Wake up. Now.":                     {"Wake up.", "Now."},
		"Version 3.5 is here! Get it":       {"Version 3.5 is here!", "Get it"},
		"Fruit, e.g. apples":                {"Fruit, e.g. apples"},
		"Really?! Yes":                      {"Really?!", "Yes"},
		"Title\nfirst line\n\nsecond. line": {"Title", "first line", "second. line"},
		"二番目の文。次":                           {"二番目の文。", "次"},
		strings.Repeat("word ", 30) + "end": {strings.Repeat("word ", 17) + "word…", strings.Repeat("word ", 12) + "end"},
		"A long opening of a sentence: " + strings.Repeat("word ", 20): {"A long opening of a sentence…", strings.TrimSpace(strings.Repeat("word ", 20))},
	} {
		headline, rest := split(Clean(text))
		if got := append([]string{headline}, rest...); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	for name, text := range hostile {
		if headline, _ := split(Clean(text)); headline == "" || utf8.RuneCountInString(headline) > maxHeadline+1 {
			t.Errorf("%s: headline %q", name, headline)
		}
	}
}

// Every cluster of a text is on some line, in order, and no line is wider than it may be.
func TestWrapLosesNothing(t *testing.T) {
	s := newShaper(&Fonts{})
	for name, text := range hostile {
		clusters := s.shape(strings.ReplaceAll(Clean(text), "\n", " "), style{30, false})
		for _, width := range []fixed.Int26_6{fixed.I(40), fixed.I(300), fixed.I(5000)} {
			for _, way := range []func([]cluster, fixed.Int26_6) ([]line, bool){wrap, balance} {
				lines, _ := way(clusters, width)
				var got, want strings.Builder
				for _, l := range lines {
					if l.width > width && len(l.clusters) > 1 {
						t.Errorf("%s: a line of %v in %v", name, l.width, width)
					}
					for _, c := range l.clusters {
						got.WriteString(c.text)
					}
				}
				for _, c := range clusters {
					want.WriteString(c.text)
				}
				if a, b := strings.ReplaceAll(got.String(), " ", ""), strings.ReplaceAll(want.String(), " ", ""); a != b {
					t.Errorf("%s in %v: %.80q, want %.80q", name, width, a, b)
				}
			}
		}
	}
}

func TestVisualOrder(t *testing.T) {
	s := newShaper(&Fonts{})
	for text, want := range map[string]string{
		"abc (1)":     "abc (1)",
		"אבג":         "גבא",
		"ab אבג cd":   "ab גבא cd",
		"אב (12) cd.": ".cd (12) בא",
	} {
		var got strings.Builder
		for _, c := range visual(s.shape(text, style{30, false}), beginsRightToLeft(text)) {
			got.WriteString(c.text)
		}
		if got.String() != want {
			t.Errorf("%q: %q, want %q", text, got.String(), want)
		}
	}
}

// What no font has is named, never dropped; without fonts of the machine that is more.
func TestMissingCharactersAreNamed(t *testing.T) {
	bare := Compose(Spec{Text: "Grüße 漢 🚀 👨‍👩‍👧 ok"}, &Fonts{Folders: []string{}})
	if !slices.Equal(bare.Missing, []string{"漢", "👨👩👧", "🚀"}) {
		t.Errorf("missing %q", bare.Missing)
	}
	if s := Compose(Spec{Text: "Grüße aus Łódź, 5 €"}, &Fonts{Folders: []string{}}); len(s.Missing) != 0 {
		t.Errorf("missing %q", s.Missing)
	}
}
