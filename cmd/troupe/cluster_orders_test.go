//go:build unix

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// order is what a client asked for and was told.
type order struct {
	id    job.ID
	owner string
	acked time.Time
}

// orderBook is all that clients were told: a job in it was accepted.
type orderBook struct {
	mu      sync.Mutex
	acked   map[job.ID]order
	unknown map[string]bool // keys of which no answer has come yet
	retries int
}

func newOrderBook() *orderBook {
	return &orderBook{acked: map[job.ID]order{}, unknown: map[string]bool{}}
}

func (b *orderBook) all() []order {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := make([]order, 0, len(b.acked))
	for _, o := range b.acked {
		all = append(all, o)
	}
	return all
}

func dialNode(ctx context.Context, network, addr string) (net.Conn, error) {
	return (&net.Dialer{Timeout: time.Second}).DialContext(ctx, network, addr)
}

// submit orders a job as a client does that wants it to be accepted: under one key, at one node after the other, until one accepts it.
func (c *cluster) submit(first int, kind, queue, owner string, payload any) (job.ID, error) {
	body, err := json.Marshal(map[string]any{"kind": kind, "queue": queue, "owner": owner, "payload": payload, "max_attempts": 1})
	if err != nil {
		return job.ID{}, err
	}
	key, b := newKey(), c.orders
	b.mu.Lock()
	b.unknown[key] = true
	b.mu.Unlock()
	for try, deadline := 0, time.Now().Add(clusterPatience); time.Now().Before(deadline) && c.ctx.Err() == nil; try++ {
		var accepted struct {
			ID job.ID `json:"id"`
		}
		err = c.nodes[(first+try)%clusterSize].ask("POST", "/v1/jobs", body, &accepted, "Idempotency-Key", key)
		if err == nil {
			b.mu.Lock()
			defer b.mu.Unlock()
			delete(b.unknown, key)
			b.acked[accepted.ID] = order{accepted.ID, owner, time.Now()}
			b.retries += try
			return accepted.ID, nil
		}
		if try%clusterSize == clusterSize-1 {
			time.Sleep(100 * time.Millisecond)
		}
	}
	return job.ID{}, fmt.Errorf("nobody accepts a job: %w", err)
}

// load orders jobs at a steady rate until stop is called, which answers what went wrong.
func (c *cluster) load(rate int, next func(i int) (kind, queue, owner string, payload any)) (stop func() error) {
	ctx, cancel := context.WithCancel(c.ctx)
	var all sync.WaitGroup
	var mu sync.Mutex
	var failed error
	all.Go(func() {
		began := time.Now()
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for i := 0; ; {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			for due := int(time.Since(began).Seconds() * float64(rate)); i < due; i++ {
				n := i
				all.Go(func() {
					kind, queue, owner, payload := next(n)
					if _, err := c.submit(n, kind, queue, owner, payload); err != nil {
						mu.Lock()
						failed = err
						mu.Unlock()
					}
				})
			}
		}
	})
	return func() error {
		cancel()
		all.Wait()
		mu.Lock()
		defer mu.Unlock()
		return failed
	}
}

// smallJob is the background of every case: jobs that end soon.
func smallJob(i int) (kind, queue, owner string, payload any) {
	if i%2 == 0 {
		return "sample.sleep", "default", "o0", map[string]int{"ms": 300, "steps": 3}
	}
	return "sample.noop", "default", "o0", nil
}
