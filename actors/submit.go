package actors

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// Submit accepts one job: when it returns nil the job is durable and will be run. Errors: ErrUnknownKind, ErrInvalid,
// KeyConflictError, ErrKeyInFlight, ErrClosed, ErrBusy, persistence.ErrUnavailable, persistence.ErrFull, or the context's.
// After the last four the job may have been accepted all the same; only an idempotency key makes it safe to ask again.
func (a *App) Submit(ctx context.Context, s Submission) (Accepted, error) {
	accepted, errs := a.SubmitAll(ctx, []Submission{s})
	return accepted[0], errs[0]
}

// SubmitAll accepts many jobs, those of one queue in one step. Each gets its own answer or error, as from Submit.
func (a *App) SubmitAll(ctx context.Context, submissions []Submission) ([]Accepted, []error) {
	accepted, errs := make([]Accepted, len(submissions)), make([]error, len(submissions))
	knocks := map[string][]*knock{}
	index := map[*knock]int{}
	now := time.Now()
	for i, s := range submissions {
		k, err := a.prepare(s, now)
		if err != nil {
			errs[i] = err
			continue
		}
		if k.key != nil {
			held := k.key.Scope + "\x00" + k.key.Key
			if _, busy := a.inflight.LoadOrStore(held, struct{}{}); busy {
				errs[i] = ErrKeyInFlight
				continue
			}
			defer a.inflight.Delete(held)
			if holder, ok := a.bound(ctx, k); ok {
				accepted[i], errs[i] = a.answer(ctx, k, verdict{holder: holder})
				continue
			}
		}
		knocks[k.job.Queue] = append(knocks[k.job.Queue], k)
		index[k] = i
	}
	for queue, group := range knocks {
		err := a.doors[queue].knock(ctx, group)
		for _, k := range group {
			i := index[k]
			if err != nil {
				errs[i] = err
				continue
			}
			accepted[i], errs[i] = a.answer(ctx, k, <-k.answer)
		}
	}
	return accepted, errs
}

// bound looks a key up in the store. The inbox binds keys, too, and first; the store remembers them when the inbox has
// lost its data. A store that does not answer is no reason to refuse.
func (a *App) bound(ctx context.Context, k *knock) (persistence.BoundKey, bool) {
	if a.queues[k.job.Queue].StoreFirst {
		return persistence.BoundKey{}, false // binds it in the store itself
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	holder, err := a.config.Store.FindKey(ctx, k.key.Scope, k.key.Key)
	return holder, err == nil
}

func (a *App) answer(ctx context.Context, k *knock, v verdict) (Accepted, error) {
	queue := a.queues[k.job.Queue]
	switch {
	case v.err != nil:
		return Accepted{}, v.err
	case v.accepted:
		a.metrics.submitted.WithLabelValues(k.job.Queue, k.job.Kind).Inc()
		return Accepted{Job: k.job, Durability: queue.Durability()}, nil
	}
	first, err := a.Get(ctx, v.holder.Job)
	switch {
	case errors.Is(err, persistence.ErrNotFound):
		return Accepted{}, ErrKeyInFlight // its row is on the way
	case err != nil:
		return Accepted{}, err
	case v.holder.Fingerprint != k.key.Fingerprint:
		return Accepted{}, &KeyConflictError{Key: k.key.Key, First: first}
	}
	return Accepted{Job: first, Repeated: true, Durability: queue.Durability()}, nil
}

// prepare makes a job of a submission, or says what is wrong with it.
func (a *App) prepare(s Submission, now time.Time) (*knock, error) {
	if !a.open() {
		return nil, ErrClosed
	}
	k, ok := a.kinds[s.Kind]
	if !ok {
		return nil, fmt.Errorf("%w: %.80q", ErrUnknownKind, s.Kind)
	}
	if s.Queue == "" {
		s.Queue = k.options.Queue
	}
	queue, ok := a.queues[s.Queue]
	if !ok {
		return nil, fmt.Errorf("%w: queue: there is no queue %.80q", ErrInvalid, s.Queue)
	}
	priority := 1
	if s.Priority != nil {
		priority = *s.Priority
	}
	policy := s.Policy.Merge(k.options.Policy).Merge(queue.Policy).Merge(job.DefaultPolicy())
	if err := validate(s, priority, policy, now); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if len(s.Payload) == 0 {
		s.Payload = json.RawMessage("{}")
	}
	if k.options.Validate != nil {
		if err := k.options.Validate(s.Payload); err != nil {
			return nil, fmt.Errorf("%w: payload: %w", ErrInvalid, err)
		}
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, fmt.Errorf("make an id: %w", err)
	}
	j := job.New(job.Spec{
		ID: job.ID(id), Kind: s.Kind, Queue: s.Queue, Priority: priority, Payload: s.Payload, Owner: s.Owner, Tags: s.Tags,
		Group: s.Group, Batch: s.Batch, Policy: policy, RunAt: s.RunAt,
	}, now)
	made := &knock{job: j, answer: make(chan verdict, 1)}
	if s.Key != "" {
		made.key = &persistence.Key{Scope: s.Queue + "/" + s.Owner, Key: s.Key, Fingerprint: s.Fingerprint, TTL: a.config.KeyTTL}
	}
	return made, nil
}

func validate(s Submission, priority int, policy job.Policy, now time.Time) error {
	switch {
	case priority < 0 || priority > job.MaxPriority:
		return fmt.Errorf("priority: %d is not within 0 and %d", priority, job.MaxPriority)
	case len(s.Payload) > job.MaxPayload:
		return fmt.Errorf("payload: %d bytes, at most %d", len(s.Payload), job.MaxPayload)
	case len(s.Payload) > 0 && (!json.Valid(s.Payload) || !utf8.Valid(s.Payload)):
		return errors.New("payload: not valid JSON in UTF-8")
	case len(s.Payload) > 0 && depth(s.Payload) > maxPayloadDepth:
		return fmt.Errorf("payload: nested deeper than %d", maxPayloadDepth)
	case len(s.Tags) > job.MaxTags:
		return fmt.Errorf("tags: %d, at most %d", len(s.Tags), job.MaxTags)
	case s.RunAt.Sub(now) > job.MaxDelay:
		return fmt.Errorf("run_at: further ahead than %s", job.MaxDelay)
	}
	for field, name := range map[string]string{"owner": s.Owner, "group": s.Group, "batch": s.Batch} {
		if name != "" && !job.ValidName(name) {
			return fmt.Errorf("%s: %.80q: want 1 to %d letters, digits or . _ -", field, name, job.MaxName)
		}
	}
	for _, tag := range s.Tags {
		if !job.ValidName(tag) {
			return fmt.Errorf("tags: %.80q: want 1 to %d letters, digits or . _ -", tag, job.MaxName)
		}
	}
	return policy.Validate()
}

const maxPayloadDepth = 128

// depth is how deeply valid JSON is nested.
func depth(data []byte) int {
	deepest, now, quoted := 0, 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			now++
			deepest = max(deepest, now)
		case c == '}' || c == ']':
			now--
		}
	}
	return deepest
}
