package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// table prints rows under a heading, in columns.
type table struct{ w *tabwriter.Writer }

func newTable(w io.Writer, heading ...string) table {
	t := table{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	t.row(heading...)
	return t
}

// row adds a line. An empty cell is a dash.
func (t table) row(cells ...string) {
	shown := make([]string, len(cells))
	for i, cell := range cells {
		shown[i] = printable(cell)
		if shown[i] == "" {
			shown[i] = "-"
		}
	}
	fmt.Fprintln(t.w, strings.Join(shown, "\t"))
}

func (t table) flush() error { return t.w.Flush() }

// printable makes text from strangers safe for a terminal and for one line: what could steer the terminal becomes a space.
func printable(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s))
}

// short cuts text to so many characters.
func short(s string, most int) string {
	s = printable(s)
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}

// age is how long ago a time was, or how far ahead it lies, in two characters or three.
func age(t, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	if d := t.Sub(now); d > 0 {
		return "in " + span(d.Round(time.Second))
	}
	return span(now.Sub(t))
}

// span is a duration with one unit.
func span(d time.Duration) string {
	switch {
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + "ms"
	case d < 2*time.Minute:
		return strconv.Itoa(int(d.Seconds())) + "s"
	case d < 2*time.Hour:
		return strconv.Itoa(int(d.Minutes())) + "m"
	case d < 48*time.Hour:
		return strconv.Itoa(int(d.Hours())) + "h"
	}
	return strconv.Itoa(int(d.Hours()/24)) + "d"
}

// since is the time between two moments, for columns that count from a first one.
func since(first, t time.Time) string {
	d := t.Sub(first)
	if d < time.Minute {
		return fmt.Sprintf("+%.3fs", d.Seconds())
	}
	return "+" + d.Round(time.Second).String()
}

// failed is why something failed, in words: the code stands first unless it says nothing new.
func failed(e *job.ViewError) string {
	if e.Code == job.CodeError || strings.HasPrefix(e.Message, e.Code+": ") {
		return e.Message
	}
	return e.Code + ": " + e.Message
}

func bytesOf(n int64) string {
	switch {
	case n < 1<<10:
		return strconv.FormatInt(n, 10) + " B"
	case n < 1<<20:
		return fmt.Sprintf("%.1f KB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
}
