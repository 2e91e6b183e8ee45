package httpapi

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// A search is one line of text: qualifiers and words, each of which must match.
//
//	status:failed,retrying kind:video.generate payload.shot.lens:"35 mm" age:<2d bicycle "by the sea"
//
// A value or word in quotes may have spaces and colons in it, and \" and \\ for a quote and a backslash.

// qualifiers are what may stand before a colon, besides payload.PATH. Those that filters have, too, are read as there.
var qualifiers = union(selectingNames, map[string]filterParam{
	"status":  addStatuses,
	"id":      addIDs,
	"age":     func(q *persistence.Query, value string) error { return narrowByAge(q, value, time.Now()) },
	"created": narrowByCreation,
	"word":    addText,
	"error": func(q *persistence.Query, value string) error {
		text, err := cleanText(value)
		q.Errors = append(q.Errors, text)
		return err
	},
})

// readSearch adds a search to a query. An error names the qualifier and where it begins, in characters from 1.
func readSearch(q *persistence.Query, text string) error {
	if len(text) > maxSearch {
		return fmt.Errorf("%d bytes, at most %d", len(text), maxSearch)
	}
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return fmt.Errorf("not UTF-8, or it has NUL in it")
	}
	s := searchText{rest: text, at: 1}
	for n := 0; ; n++ {
		t, err := s.next()
		switch {
		case err != nil:
			return err
		case t == nil:
			return nil
		case n == maxTerms:
			return fmt.Errorf("more than %d terms at %d", maxTerms, t.at)
		}
		if err := t.read(q); err != nil {
			return err
		}
	}
}

// term is one part of a search; a word has no name.
type term struct {
	name, value string
	at          int
}

func (t *term) read(q *persistence.Query) error {
	var err error
	read, known := qualifiers[t.name]
	path, payload := strings.CutPrefix(t.name, "payload.")
	switch {
	case t.name == "":
		if err := addText(q, t.value); err != nil {
			return fmt.Errorf("word at %d: %w", t.at, err)
		}
		return nil
	case payload:
		err = addPayload(q, path, t.value)
	case !known:
		return fmt.Errorf("unknown qualifier %.80q at %d; known are %s and payload.PATH; what has a colon in it needs quotes",
			t.name, t.at, strings.Join(slices.Sorted(maps.Keys(qualifiers)), ", "))
	case t.value == "":
		err = fmt.Errorf("no value")
	default:
		err = read(q, t.value)
	}
	if err != nil {
		return fmt.Errorf("%.80s at %d: %w", t.name, t.at, err)
	}
	return nil
}

// searchText is what has not been read yet, and where it begins.
type searchText struct {
	rest string
	at   int
}

func (s *searchText) skip(bytes int) string {
	skipped := s.rest[:bytes]
	s.at += utf8.RuneCountInString(skipped)
	s.rest = s.rest[bytes:]
	return skipped
}

// next is the next term, or nil at the end.
func (s *searchText) next() (*term, error) {
	s.skip(len(s.rest) - len(strings.TrimLeftFunc(s.rest, unicode.IsSpace)))
	if s.rest == "" {
		return nil, nil //nolint:nilnil // the end is no error
	}
	t := &term{at: s.at}
	if end := strings.IndexFunc(s.rest, func(r rune) bool { return r == ':' || r == '"' || unicode.IsSpace(r) }); end >= 0 && s.rest[end] == ':' {
		t.name = strings.ToLower(s.skip(end))
		if s.skip(1); t.name == "" {
			return nil, fmt.Errorf("no qualifier before the colon at %d", t.at)
		}
	}
	if strings.HasPrefix(s.rest, `"`) {
		var err error
		t.value, err = s.quoted()
		return t, err
	}
	end := strings.IndexFunc(s.rest, unicode.IsSpace)
	if end < 0 {
		end = len(s.rest)
	}
	t.value = s.skip(end)
	return t, nil
}

// quoted reads a text in quotes.
func (s *searchText) quoted() (string, error) {
	begin := s.at
	var text strings.Builder
	for i := 1; i < len(s.rest); i++ {
		switch c := s.rest[i]; {
		case c == '\\' && i+1 < len(s.rest) && (s.rest[i+1] == '"' || s.rest[i+1] == '\\'):
			i++
			text.WriteByte(s.rest[i])
		case c == '"':
			s.skip(i + 1)
			if r, _ := utf8.DecodeRuneInString(s.rest); s.rest != "" && !unicode.IsSpace(r) {
				return "", fmt.Errorf("want a space after the quote at %d", s.at-1)
			}
			return text.String(), nil
		default:
			text.WriteByte(c)
		}
	}
	return "", fmt.Errorf("the quote at %d is not closed", begin)
}

func addPayload(q *persistence.Query, path, value string) error {
	names := strings.Split(path, ".")
	for _, name := range names {
		valid := !strings.ContainsFunc(name, func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_-$", r)
		})
		if name == "" || len(name) > job.MaxName || !valid || len(names) > maxPath {
			return fmt.Errorf("want a path such as payload.meta.campaign: at most %d names of letters, digits and _ - $", maxPath)
		}
	}
	q.Payload = append(q.Payload, persistence.PayloadMatch{Path: path, Text: value})
	return nil
}

// addIDs reads ids, or the beginning of one.
func addIDs(q *persistence.Query, value string) error {
	if len(q.IDs) > 0 || !q.Highest.IsZero() {
		return errTwice
	}
	ids, err := readIDs([]string{value})
	if err == nil {
		q.IDs = ids
		return nil
	}
	digits := strings.ReplaceAll(value, "-", "")
	if len(digits) < minIDDigits || len(digits) > 32 || strings.Trim(digits, "0123456789abcdefABCDEF") != "" {
		return fmt.Errorf("%.80q: want ids, separated by commas, or the first %d or more digits of one", value, minIDDigits)
	}
	whole := func(fill string) (id job.ID) {
		d := digits + strings.Repeat(fill, 32-len(digits))
		id, _ = job.ParseID(d[:8] + "-" + d[8:12] + "-" + d[12:16] + "-" + d[16:20] + "-" + d[20:]) // it is of digits only
		return id
	}
	q.Lowest, q.Highest = whole("0"), whole("f")
	return nil
}
