package actors

import (
	"context"
	"sync"
	"time"
)

// readings share what is read of queues: each is read at most once in readingFresh, however many ask, and at most once at a time.
type readings[T any] struct {
	mu  sync.Mutex
	all map[string]*glimpse[T]
}

// glimpse is one answer, or one that is on its way.
type glimpse[T any] struct {
	began time.Time
	done  chan struct{}
	value T
	err   error
}

const (
	readingFresh   = time.Second
	readingTimeout = 5 * time.Second
	// maxReadings bounds the names under which something is kept; beyond it what is old goes.
	maxReadings = 256
)

// get answers what was read of the queue within the last second, or reads it. The error is the reading's, or the context's.
func (r *readings[T]) get(ctx context.Context, a *App, queue string, read func(ctx context.Context) (T, error)) (T, error) {
	one := r.current(a, queue, read)
	select {
	case <-one.done:
		return one.value, one.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

func (r *readings[T]) current(a *App, queue string, read func(ctx context.Context) (T, error)) *glimpse[T] {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if one := r.all[queue]; one != nil && (now.Sub(one.began) < readingFresh || !closed(one.done)) {
		return one
	}
	if r.all == nil {
		r.all = map[string]*glimpse[T]{}
	}
	for name, one := range r.all {
		if len(r.all) >= maxReadings && closed(one.done) {
			delete(r.all, name)
		}
	}
	one := &glimpse[T]{began: now, done: make(chan struct{}), err: ErrClosed}
	r.all[queue] = one
	if !a.loops.Go(func() {
		defer close(one.done)
		ctx, cancel := context.WithTimeout(a.background, readingTimeout)
		defer cancel()
		one.value, one.err = read(ctx)
	}) {
		close(one.done)
	}
	return one
}

func closed(done chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}
