package actors

import (
	"context"
	"errors"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// part is one append and whose it is.
type part struct {
	spool *spool
	write persistence.Append
}

// fly writes what waits, a transaction at a time, until nothing does. It answers false if the store did not take it: it is
// put down again then.
func (w *lineWriter) fly(ctx context.Context) bool {
	for {
		taken := w.take()
		if len(taken) == 0 {
			return true
		}
		var parts []part
		for _, s := range taken {
			parts = s.load(parts)
		}
		answers, err := w.commit(ctx, parts)
		if err != nil {
			for _, s := range taken {
				s.unload()
			}
			w.enlist(taken...)
			if ctx.Err() == nil {
				w.app.log.Warn("the store did not take lines of jobs; trying again", "jobs", len(taken), "error", err)
				w.app.metrics.lines.failed.Inc()
			}
			return false
		}
		if !w.landed(taken, parts, answers) {
			return false
		}
	}
}

// commit writes the parts in one transaction. If the store will never take one of them, each is written alone, to find out which.
func (w *lineWriter) commit(ctx context.Context, parts []part) ([]persistence.Appended, error) {
	if len(parts) == 0 {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, flightLimit)
	defer cancel()
	appends := make([]persistence.Append, len(parts))
	for i := range parts {
		appends[i] = parts[i].write
	}
	answers, err := w.app.config.Store.AppendLines(ctx, appends)
	if !errors.Is(err, persistence.ErrInvalid) {
		return answers, err
	}
	answers = make([]persistence.Appended, len(parts))
	for i := range appends {
		one, err := w.app.config.Store.AppendLines(ctx, appends[i:i+1])
		switch {
		case errors.Is(err, persistence.ErrInvalid):
			w.app.log.Error("the store will never take these lines; they are dropped", "job", appends[i].Job, "channel", appends[i].Channel, "error", err)
			answers[i].State = persistence.LinesFull
		case err != nil:
			return nil, err
		default:
			answers[i] = one[0]
		}
	}
	return answers, nil
}

// landed tells the spools what became of their lines, and puts down again those that have more. It answers false if all
// that is left has to wait for its jobs' first rows.
func (w *lineWriter) landed(taken []*spool, parts []part, answers []persistence.Appended) bool {
	now := time.Now()
	written := make([]job.ID, 0, len(taken))
	for i, p := range parts {
		if p.spool.landed(p.write.Channel, answers[i], now) && (len(written) == 0 || written[len(written)-1] != p.spool.id) {
			written = append(written, p.spool.id)
		}
	}
	w.app.lineTails.poke(written)
	w.news.add(written)
	more := taken[:0]
	waits := 0
	for _, s := range taken {
		if again, early := s.settle(); again {
			more = append(more, s)
			if early {
				waits++
			}
		}
	}
	if len(more) > 0 {
		w.enlist(more...)
	}
	return waits == 0 || waits < len(more)
}
