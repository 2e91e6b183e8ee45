package cluster

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Bounds of the library's log.
const (
	rareEvery = 30 * time.Second // the same message about the same thing
	maxRare   = 1000             // of what is remembered
)

// rare lets pass warnings, and of those that repeat themselves one in a while: the library tells of a lost peer several times
// a second. Errors of the library are warnings here: a peer that is gone is nobody's error. It implements slog.Handler.
type rare struct {
	slog.Handler
	memory *memory
}

type memory struct {
	mu   sync.Mutex
	told map[string]*utterance
}

type utterance struct {
	next   time.Time
	missed int
}

func newRare(inner slog.Handler) slog.Handler {
	return rare{inner, &memory{told: map[string]*utterance{}}}
}

// Enabled implements slog.Handler.
func (r rare) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && r.Handler.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (r rare) Handle(ctx context.Context, record slog.Record) error {
	about := record.Message
	record.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "address": // whatever is told of it: the library and we tell the same
			about = a.Value.String()
			return false
		case "peer":
			about += "\x00" + a.Value.String()
		}
		return true
	})
	missed, tell := r.memory.hear(about, record.Time)
	if !tell {
		return nil
	}
	if missed > 0 {
		record = record.Clone()
		record.AddAttrs(slog.Int("repeated", missed))
	}
	record.Level = slog.LevelWarn
	return r.Handler.Handle(ctx, record)
}

// WithAttrs implements slog.Handler.
func (r rare) WithAttrs(attrs []slog.Attr) slog.Handler {
	return rare{r.Handler.WithAttrs(attrs), r.memory}
}

// WithGroup implements slog.Handler.
func (r rare) WithGroup(name string) slog.Handler { return rare{r.Handler.WithGroup(name), r.memory} }

// hear says whether to tell it, and how often it was not told before.
func (m *memory) hear(about string, now time.Time) (missed int, tell bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	u := m.told[about]
	if u == nil {
		if len(m.told) >= maxRare {
			clear(m.told)
		}
		u = new(utterance)
		m.told[about] = u
	}
	if now.Before(u.next) {
		u.missed++
		return 0, false
	}
	missed, u.missed, u.next = u.missed, 0, now.Add(rareEvery)
	return missed, true
}
