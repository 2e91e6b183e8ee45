package actors

import (
	"context"
	"fmt"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// Waiting answers why a job waits.
type Waiting struct {
	Place
	// Text is that in one sentence.
	Text string `json:"text"`
}

// Waiting says why the job waits, where it stands and what would make it go on. ErrNotFound if there is no such job.
func (a *App) Waiting(ctx context.Context, id job.ID) (Waiting, error) {
	j, err := a.Get(ctx, id)
	if err != nil {
		return Waiting{}, err
	}
	view := j.View()
	w := waiterOf(&view)
	if w == nil {
		return Waiting{Place{ID: id, Reason: "none"}, fmt.Sprintf("It does not wait: it is %s.", j.Status)}, nil
	}
	p := a.place(ctx, w)
	return Waiting{p, p.text(w, time.Now())}, nil
}

// text is the place in one sentence, for people.
func (p *Place) text(w *waiter, now time.Time) string {
	switch p.Reason {
	case "paused":
		if p.paused == "" {
			return fmt.Sprintf("The queue %s is paused; it goes on once somebody resumes the queue.", w.queue)
		}
		return fmt.Sprintf("The queue %s is paused (%s); it goes on once somebody resumes the queue.", w.queue, p.paused)
	case "scheduled":
		return fmt.Sprintf("It is scheduled for %s, %s from now.", p.Until.UTC().Format(time.RFC3339), span(p.Until.Sub(now)))
	case "backoff":
		why := ""
		if w.failure != "" {
			why = " (" + w.failure + ")"
		}
		return fmt.Sprintf("Attempt %d of %d failed%s; the next begins at %s, %s from now.",
			w.attempt, w.attempts, why, p.Until.UTC().Format(time.RFC3339), span(p.Until.Sub(now)))
	}
	switch {
	case p.Position == nil:
		return "It waits in line, but the database can't be read now, so its place is not known; it keeps it and goes on by itself."
	case p.fault != nil:
		return fmt.Sprintf("It is %s in line, but the inbox does not answer now; it goes on by itself once the inbox is back.", p.nth())
	case p.slots == 0:
		return fmt.Sprintf("It is %s in line, but no node is known that runs the queue %s; it goes on once one does.", p.nth(), w.queue)
	case p.full():
		return fmt.Sprintf("It is %s in line, and the queue %s is at its limit (%d of %d running); it goes on as those before it end.",
			p.nth(), w.queue, p.running, p.slots)
	}
	return fmt.Sprintf("It is %s in line (%d of %d running); it is about to begin once those before it have.", p.nth(), p.running, p.slots)
}

// nth is the position in words.
func (p *Place) nth() string {
	n := *p.Position
	if n == 1 && !p.Capped {
		return "next"
	}
	suffix := "th"
	if n%100 < 11 || n%100 > 13 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	if p.Capped {
		return fmt.Sprintf("%d%s or later", n, suffix)
	}
	return fmt.Sprintf("%d%s", n, suffix)
}

// span is a duration as people say it.
func span(d time.Duration) string {
	switch {
	case d < 0:
		return "0s"
	case d < 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d < time.Hour:
		return d.Round(time.Second).String()
	}
	return d.Round(time.Minute).String()
}
