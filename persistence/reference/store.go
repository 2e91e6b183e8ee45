package reference

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// Store is persistence.Store over maps in memory.
type Store struct {
	mu     sync.Mutex
	fault  string
	rows   map[job.ID]*row
	order  []job.ID // of rows
	keys   map[[2]string]persistence.BoundKey
	queues map[string]persistence.QueueSettings
	secret map[string][]byte
	drawn  int64
}

var _ persistence.Store = (*Store)(nil)

type row struct {
	persistence.Record
	history []job.Transition
	said    map[persistence.Channel]*channel // nil: nothing
}

// NewStore makes an empty store, which errs as the fault says; an empty fault is none.
func NewStore(fault string) *Store {
	return &Store{
		fault: fault, rows: make(map[job.ID]*row), keys: make(map[[2]string]persistence.BoundKey), queues: make(map[string]persistence.QueueSettings),
		secret: make(map[string][]byte),
	}
}

func (s *Store) lock(ctx context.Context) (func(), error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	return s.mu.Unlock, nil
}

func (s *Store) admits(row, write persistence.Fence) bool {
	switch s.fault {
	case "no fence":
		return true
	case "equal tokens of any node":
		write.Node = row.Node
	case "terminal is open":
		row.Status = job.Processing
	}
	return row.Admits(write)
}

func (s *Store) write(w persistence.Write) persistence.Outcome {
	r := s.rows[w.Job.ID]
	if r == nil {
		r = &row{}
		s.rows[w.Job.ID] = r
		at, _ := slices.BinarySearchFunc(s.order, w.Job.ID, job.ID.Compare)
		s.order = slices.Insert(s.order, at, w.Job.ID)
	} else {
		have, write := persistence.FenceOf(&r.Job), persistence.FenceOf(&w.Job)
		if have == write && s.fault != "repeats are refused" {
			if s.fault == "history twice" {
				r.history = append(r.history, w.History...)
			}
			return persistence.Outcome{Applied: true}
		}
		if !s.admits(have, write) {
			if s.fault == "history of refused writes" {
				r.history = append(r.history, w.History...)
			}
			return persistence.Outcome{Current: have}
		}
	}
	word := r.Job.Cancel
	if w.Job.Life > r.Job.Life && s.fault != "cancel outlives a life" {
		word = nil
	}
	r.Job = w.Job
	r.Job.Cancel = word
	r.Job.Payload, r.Job.Result = bytes.Clone(w.Job.Payload), bytes.Clone(w.Job.Result)
	switch s.fault {
	case "times to the millisecond":
		r.Job.Updated = r.Job.Updated.Truncate(time.Millisecond)
	case "JSON is tidied":
		var tidy bytes.Buffer
		if json.Compact(&tidy, r.Job.Payload) == nil {
			r.Job.Payload = tidy.Bytes()
		}
	}
	r.keep(w.History)
	return persistence.Outcome{Applied: true}
}

// keep adds lines of history. One that is there is left: the repetition of a write whose answer was lost may say more than it did.
func (r *row) keep(lines []job.Transition) {
	for _, line := range lines {
		at, there := slices.BinarySearchFunc(r.history, line.Rev, func(h job.Transition, rev int64) int { return cmp.Compare(h.Rev, rev) })
		if !there {
			r.history = slices.Insert(r.history, at, line)
		}
	}
}

// Commit implements persistence.Store.
func (s *Store) Commit(ctx context.Context, writes []persistence.Write) ([]persistence.Outcome, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if len(writes) > persistence.MaxBatch {
		return nil, persistence.ErrInvalid
	}
	var outcomes []persistence.Outcome
	for _, w := range writes {
		s.bind(w)
		outcomes = append(outcomes, s.write(w))
	}
	return outcomes, nil
}

// bind gives the job its key if nobody else has it, and says who has it.
func (s *Store) bind(w persistence.Write) persistence.BoundKey {
	if w.Key == nil {
		return persistence.BoundKey{Job: w.Job.ID}
	}
	name := [2]string{w.Key.Scope, w.Key.Key}
	if k, taken := s.keys[name]; taken && time.Now().Before(k.Expires) && s.fault != "keys are not checked" {
		return k
	}
	s.keys[name] = persistence.BoundKey{
		Scope: w.Key.Scope, Key: w.Key.Key, Job: w.Job.ID, Fingerprint: w.Key.Fingerprint, Expires: time.Now().Add(w.Key.TTL),
	}
	return s.keys[name]
}

// Accept implements persistence.Store.
func (s *Store) Accept(ctx context.Context, writes []persistence.Write) ([]persistence.Acceptance, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	var answers []persistence.Acceptance
	for _, w := range writes {
		if holder := s.bind(w); holder.Job != w.Job.ID {
			answers = append(answers, persistence.Acceptance{Holder: holder})
			continue
		}
		s.write(w)
		answers = append(answers, persistence.Acceptance{Accepted: true})
	}
	return answers, nil
}

// Get implements persistence.Store.
func (s *Store) Get(ctx context.Context, ids []job.ID) ([]persistence.Record, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	var records []persistence.Record
	for _, id := range ids {
		if r := s.rows[id]; r != nil {
			records = append(records, r.Record)
		}
	}
	return records, nil
}

func (s *Store) drop(id job.ID) {
	delete(s.rows, id)
	at, _ := slices.BinarySearchFunc(s.order, id, job.ID.Compare)
	s.order = slices.Delete(s.order, at, at+1)
}

// Live implements persistence.Store.
func (s *Store) Live(ctx context.Context, after job.ID, limit int) ([]persistence.Record, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	var records []persistence.Record
	from, _ := slices.BinarySearchFunc(s.order, after, job.ID.Compare)
	for _, id := range s.order[from:] {
		if r := s.rows[id]; id != after && !r.Job.Status.Terminal() && len(records) < limit {
			records = append(records, r.Record)
		}
	}
	return records, nil
}

// Waiting implements persistence.Store.
func (s *Store) Waiting(ctx context.Context, queue string, limit int) ([]job.ID, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	var ids []job.ID
	for _, id := range s.order {
		j := s.rows[id].Job
		due := j.Status.Waiting() && !j.RunAt.After(time.Now()) || s.fault == "what is not due waits"
		if j.Queue == queue && (j.Status == job.Queued || due) && !j.Status.Terminal() && !j.Status.Running() {
			ids = append(ids, id)
		}
	}
	slices.SortStableFunc(ids, func(a, b job.ID) int { return cmp.Compare(s.rows[a].Job.Priority, s.rows[b].Job.Priority) })
	return ids[:min(limit, len(ids), persistence.MaxWaiting)], nil
}

// History implements persistence.Store.
func (s *Store) History(ctx context.Context, id job.ID) ([]job.Transition, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if r := s.rows[id]; r != nil {
		return slices.Clone(r.history), nil
	}
	return nil, persistence.ErrNotFound
}

// RequestCancel implements persistence.Store.
func (s *Store) RequestCancel(ctx context.Context, id job.ID, word job.Cancel) (persistence.Record, error) {
	text, err := persistence.CancelText(word)
	if err != nil {
		return persistence.Record{}, err
	}
	unlock, err := s.lock(ctx)
	if err != nil {
		return persistence.Record{}, err
	}
	defer unlock()
	r := s.rows[id]
	if r == nil {
		return persistence.Record{}, persistence.ErrNotFound
	}
	if !r.Job.Status.Terminal() && (r.Job.Cancel == nil || s.fault == "the last word stands") {
		r.Job.Cancel = job.ParseCancel(text)
	}
	return r.Record, nil
}

// FindKey implements persistence.Store.
func (s *Store) FindKey(ctx context.Context, scope, key string) (persistence.BoundKey, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return persistence.BoundKey{}, err
	}
	defer unlock()
	if k, bound := s.keys[[2]string{scope, key}]; bound && time.Now().Before(k.Expires) {
		return k, nil
	}
	return persistence.BoundKey{}, fmt.Errorf("key %q: %w", key, persistence.ErrNotFound)
}

// Keys implements persistence.Store.
func (s *Store) Keys(ctx context.Context, after persistence.BoundKey, limit int) ([]persistence.BoundKey, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	order := func(a, b persistence.BoundKey) int {
		return cmp.Or(cmp.Compare(a.Scope, b.Scope), cmp.Compare(a.Key, b.Key))
	}
	all := slices.SortedFunc(maps.Values(s.keys), order)
	all = slices.DeleteFunc(all, func(k persistence.BoundKey) bool { return order(k, after) <= 0 || !time.Now().Before(k.Expires) })
	return all[:min(limit, len(all))], nil
}

// Delete implements persistence.Store.
func (s *Store) Delete(ctx context.Context, ids []job.ID) ([]job.ID, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	var gone []job.ID
	for _, id := range ids {
		if r := s.rows[id]; r != nil && r.Job.Status.Terminal() {
			s.drop(id)
			gone = append(gone, id)
		}
	}
	return gone, nil
}

// Prune implements persistence.Store.
func (s *Store) Prune(ctx context.Context, before time.Time, limit int) ([]job.ID, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	var gone []job.ID
	for _, id := range slices.Clone(s.order) {
		j := s.rows[id].Job
		if (j.Status.Terminal() || s.fault == "prune takes live") && j.Finished.Before(before) && len(gone) < limit {
			s.drop(id)
			gone = append(gone, id)
		}
	}
	return gone, nil
}

// Queues implements persistence.Store.
func (s *Store) Queues(ctx context.Context) ([]persistence.QueueSettings, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	return slices.Collect(maps.Values(s.queues)), nil
}

// SaveQueue implements persistence.Store.
func (s *Store) SaveQueue(ctx context.Context, q persistence.QueueSettings) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	s.queues[q.Name] = q
	return nil
}

// Secret implements persistence.Store.
func (s *Store) Secret(ctx context.Context, name string, fresh []byte) ([]byte, error) {
	if err := persistence.CheckSecret(name, fresh); err != nil {
		return nil, err
	}
	unlock, err := s.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if _, kept := s.secret[name]; !kept {
		s.secret[name] = bytes.Clone(fresh)
	}
	return bytes.Clone(s.secret[name]), nil
}

// Incarnation implements persistence.Store.
func (s *Store) Incarnation(ctx context.Context) (int64, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return 0, err
	}
	defer unlock()
	if s.fault != "incarnations repeat" || s.drawn%4 != 3 {
		s.drawn++
	}
	return s.drawn, nil
}

// Watch implements persistence.Store.
func (s *Store) Watch(ctx context.Context, _ func(job.ID)) error {
	<-ctx.Done()
	return ctx.Err()
}

// Ping implements persistence.Store.
func (s *Store) Ping(ctx context.Context) error { return ctx.Err() }
