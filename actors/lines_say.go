package actors

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// spool is the attempt's spool, made with the first word; nil once the attempt has ended.
func (at *attempt) spool() *spool {
	at.mu.Lock()
	defer at.mu.Unlock()
	if at.lines == nil && !at.over {
		at.lines = &spool{writer: at.app.lineWriter, id: at.id, token: at.token, node: at.app.config.Node, attempt: at.handle.record.Attempt}
	}
	if at.over {
		return nil
	}
	return at.lines
}

// log implements reporter.
func (at *attempt) log(level slog.Level, text string) {
	s := at.spool()
	if s == nil || s.add(at.ctx, persistence.Log, levelOf(level), lineOf(text)) != nil {
		at.app.metrics.lines.dropped.WithLabelValues(persistence.Log.String(), dropLate).Inc()
	}
}

func levelOf(l slog.Level) persistence.Level {
	switch {
	case l < slog.LevelInfo:
		return persistence.LevelDebug
	case l < slog.LevelWarn:
		return persistence.LevelInfo
	case l < slog.LevelError:
		return persistence.LevelWarn
	}
	return persistence.LevelError
}

// cutMark ends a line that was too long.
const cutMark = "…"

// lineOf is a text as a line: valid UTF-8, without the line breaks at its end, and cut to what a line may have.
func lineOf(text string) string {
	text = strings.TrimRight(text, "\r\n")
	if len(text) > persistence.MaxLine {
		text = text[:wholeCharacters(text[:persistence.MaxLine-len(cutMark)])] + cutMark
	}
	if utf8.ValidString(text) {
		return text
	}
	return cutTo(strings.ToValidUTF8(text, "\uFFFD"), persistence.MaxLine)
}

func cutTo(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return text[:wholeCharacters(text[:limit])]
}

// wholeCharacters is how many bytes of the text are not the beginning of a character that goes on after it.
func wholeCharacters[T string | []byte](text T) int {
	for i := len(text) - 1; i >= max(0, len(text)-utf8.UTFMax); i-- {
		if utf8.RuneStart(text[i]) {
			if !utf8.FullRuneInString(string(text[i:])) {
				return i
			}
			break
		}
	}
	return len(text)
}

// output implements reporter.
func (at *attempt) output(data []byte) error {
	s := at.spool()
	if s == nil {
		return errTooLate
	}
	if err := at.learnOutput(s); err != nil {
		return err
	}
	s.turn.Lock() // the pieces of two calls don't mix
	defer s.turn.Unlock()
	data = append(s.rest, data...)
	whole := wholeCharacters(data)
	pieces := split(strings.ToValidUTF8(string(data[:whole]), "\uFFFD"))
	if err := s.fits(pieces); err != nil {
		return err
	}
	for _, piece := range pieces {
		if err := s.add(at.ctx, persistence.Output, 0, piece); err != nil {
			return err
		}
	}
	s.rest = append([]byte(nil), data[whole:]...)
	return nil
}

// split cuts a text into pieces of at most persistence.MaxLine bytes, between characters.
func split(text string) []string {
	var pieces []string
	for len(text) > 0 {
		piece := cutTo(text, persistence.MaxLine)
		pieces = append(pieces, piece)
		text = text[len(piece):]
	}
	return pieces
}

// fits says whether there is room for all the pieces: an output takes a chunk whole or not at all.
func (s *spool) fits(pieces []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	said, bytes := s.of(persistence.Output), int64(0)
	for _, piece := range pieces {
		bytes += int64(len(piece))
	}
	if said.count+int64(len(pieces)) > persistence.MaxLines || said.amount+bytes > persistence.MaxLineBytes {
		return fmt.Errorf("output of job %s: %w: at most %d chunks and %d bytes", s.id, job.ErrLimit, persistence.MaxLines, persistence.MaxLineBytes)
	}
	return nil
}

// learnOutput reads how much output the job has from attempts before, once. While the store is down it waits.
func (at *attempt) learnOutput(s *spool) error {
	s.turn.Lock()
	defer s.turn.Unlock()
	if s.learned {
		return nil
	}
	for pause := lineRetryFirst; ; pause = min(2*pause, lineRetryLast) {
		page, err := at.app.config.Store.ReadLines(at.ctx, persistence.LineQuery{Job: at.id, Channel: persistence.Output, Tail: 1})
		if err == nil {
			s.learn(page.Bounds)
			return nil
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-at.ctx.Done():
			timer.Stop()
			return context.Cause(at.ctx)
		}
	}
}

// learn takes over how much output there is.
func (s *spool) learn(b persistence.LineBounds) {
	s.learned = true
	s.mu.Lock()
	defer s.mu.Unlock()
	said := s.of(persistence.Output)
	said.count, said.amount = b.Lines, b.Bytes
	if b.Last/job.RevsPerToken == s.token { // this very claim, of this node's: an inbox was rolled back
		said.n = b.Last % job.RevsPerToken
	}
}
