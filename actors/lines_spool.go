package actors

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// spool is what one attempt has said and the store does not have yet.
type spool struct {
	writer  *lineWriter
	id      job.ID
	token   int64
	node    string
	attempt int

	turn    sync.Mutex // held for one call of Output
	learned bool       // how much output there is from before
	rest    []byte     // of an output: the beginning of a character whose end is not here yet

	mu       sync.Mutex
	said     [2]saying     // by channel, from Log on
	bytes    int           // of both, lineCost for each line included
	added    int64         // lines taken in
	gone     int64         // of those: written or dropped
	enlisted bool          // the writer knows that there is something to write
	closed   bool          // nothing more is taken in
	refused  error         // nothing more is written
	early    time.Time     // since when the job's first row is missing
	moved    chan struct{} // closed when lines go; nil if nobody waits
}

// saying is one channel of a spool.
type saying struct {
	n      int64 // of the last line
	lines  []persistence.Line
	flying int // of lines, the first so many are being written

	count, amount int64 // of an output: chunks and bytes in the store and here
}

func (s *spool) of(c persistence.Channel) *saying { return &s.said[c-persistence.Log] }

// waiting is about how many bytes a transaction would take.
func (s *spool) waiting() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bytes
}

// add takes a line, waiting for room until the context ends. The text has at most persistence.MaxLine bytes.
func (s *spool) add(ctx context.Context, c persistence.Channel, level persistence.Level, text string) error {
	cost := len(text) + lineCost
	s.mu.Lock()
	for {
		switch {
		case s.refused != nil:
			s.mu.Unlock()
			return s.refused
		case s.closed:
			s.mu.Unlock()
			return errTooLate
		}
		if s.bytes == 0 || s.bytes+cost <= s.bound() {
			break
		}
		moved := s.awaitMove()
		s.mu.Unlock()
		poke(s.writer.hurry)
		select {
		case <-moved:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		s.mu.Lock()
	}
	defer s.mu.Unlock()
	said := s.of(c)
	if said.n+1 >= job.RevsPerToken {
		return fmt.Errorf("%s of job %s: %w: more lines than one attempt can number", c, s.id, job.ErrLimit)
	}
	s.added++
	said.n++
	said.count++
	said.amount += int64(len(text))
	said.lines = append(said.lines, persistence.Line{
		Seq: persistence.LineSeq(s.token, said.n), At: time.Now(), Level: level, Attempt: s.attempt, Text: text,
	})
	s.grow(cost)
	if !s.enlisted {
		s.enlisted = true
		s.writer.enlist(s)
	}
	return nil
}

func (s *spool) bound() int {
	if s.writer.bytes.Load() > crowdBytes {
		return crowdedSpool
	}
	return spoolBytes
}

func (s *spool) grow(by int) {
	s.bytes += by
	s.writer.bytes.Add(int64(by))
	s.writer.app.metrics.lines.pending.Add(float64(by))
}

// load adds to a transaction as much as one append may have of each channel.
func (s *spool) load(parts []part) []part {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range persistence.Channels {
		said := s.of(c)
		n, bytes := 0, 0
		for n < min(len(said.lines), persistence.MaxAppendLines) && bytes+len(said.lines[n].Text) <= persistence.MaxAppendBytes {
			bytes += len(said.lines[n].Text)
			n++
		}
		if said.flying = n; n > 0 {
			parts = append(parts, part{s, persistence.Append{Job: s.id, Channel: c, Token: s.token, Node: s.node, Lines: said.lines[:n:n]}})
		}
	}
	return parts
}

// unload takes back what was not written.
func (s *spool) unload() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.said {
		s.said[i].flying = 0
	}
	if s.refused != nil { // given up meanwhile
		s.drop(dropLost)
	}
}

// landed takes the store's answer, and says whether it has new lines.
func (s *spool) landed(c persistence.Channel, answer persistence.Appended, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, said := s.writer.app.metrics.lines, s.of(c)
	n := said.flying
	said.flying = 0
	switch answer.State {
	case persistence.LinesTaken:
		m.written.WithLabelValues(c.String()).Add(float64(n))
		m.dropped.WithLabelValues(c.String(), dropOldest).Add(float64(answer.Dropped))
		s.early = time.Time{}
		s.remove(said, n)
		return true
	case persistence.LinesFull:
		m.dropped.WithLabelValues(c.String(), dropFull).Add(float64(n))
		s.remove(said, n)
	case persistence.LinesRefused:
		s.refuse(ErrLeaseLost, dropRefused)
	case persistence.LinesEarly:
		if s.early.IsZero() {
			s.early = now
		} else if now.Sub(s.early) > earlyPatience {
			s.drop(dropRefused) // and no error: the row may be late because the store is, which costs no attempt
		}
	}
	return false
}

// remove forgets the first lines of a channel.
func (s *spool) remove(said *saying, n int) {
	cost := 0
	for i := range said.lines[:n] {
		cost += len(said.lines[i].Text) + lineCost
	}
	if said.lines = said.lines[n:]; len(said.lines) == 0 {
		said.lines = nil
	}
	s.grow(-cost)
	s.gone += int64(n)
	if s.moved != nil {
		close(s.moved)
		s.moved = nil
	}
}

// awaitMove is closed when lines have gone. The caller holds the mutex.
func (s *spool) awaitMove() <-chan struct{} {
	if s.moved == nil {
		s.moved = make(chan struct{})
	}
	return s.moved
}

// flush waits until what was said so far is written, or refused, or the context ends.
func (s *spool) flush(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for until := s.added; s.gone < until; {
		moved := s.awaitMove()
		s.mu.Unlock()
		poke(s.writer.hurry)
		var err error
		select {
		case <-moved:
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
		s.mu.Lock()
		if err != nil {
			return err
		}
	}
	return s.refused
}

// refuse drops what waits and all that follows.
func (s *spool) refuse(err error, reason string) {
	if s.refused == nil {
		s.refused = err
	}
	s.drop(reason)
}

// drop forgets what is not being written now.
func (s *spool) drop(reason string) {
	for _, c := range persistence.Channels {
		said := s.of(c)
		if said.flying > 0 {
			continue
		}
		s.writer.app.metrics.lines.dropped.WithLabelValues(c.String(), reason).Add(float64(len(said.lines)))
		s.remove(said, len(said.lines))
	}
}

// settle ends a transaction: it says whether there is more to write, and whether that waits for the job's first row.
func (s *spool) settle() (again, early bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refused != nil {
		s.drop(dropLost)
	}
	s.enlisted = s.bytes > 0
	return s.enlisted, !s.early.IsZero()
}

// close ends the spool at the end of its attempt: it returns when all is written, or refused. When the context ends it
// waits for lastLines more, and then gives up what is left; once the node closes it gives up at once, as a crash does.
func (s *spool) close(ctx context.Context) {
	s.turn.Lock()
	if len(s.rest) > 0 { // the end of a character that never came
		_ = s.add(ctx, persistence.Output, 0, "\uFFFD")
		s.rest = nil
	}
	s.turn.Unlock()
	s.mu.Lock()
	s.closed = true
	silent := s.bytes == 0
	s.mu.Unlock()
	if silent {
		return
	}
	patient, giveUp := context.WithCancelCause(s.writer.app.background)
	defer giveUp(nil)
	stop := context.AfterFunc(ctx, func() {
		time.AfterFunc(lastLines, func() { giveUp(context.Cause(ctx)) })
	})
	defer stop()
	if s.flush(patient) == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse(errTooLate, dropLost)
}
