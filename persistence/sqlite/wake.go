package sqlite

import (
	"context"
	"sync"
)

// wakes are those who want to know when a queue may have got something to claim.
type wakes struct {
	mu   sync.Mutex
	next int
	by   map[int]func(queue string)
}

func (w *wakes) add(wake func(string)) (remove func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.by == nil {
		w.by = map[int]func(string){}
	}
	n := w.next
	w.next++
	w.by[n] = wake
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.by, n)
	}
}

func (w *wakes) call(queues map[string]struct{}) {
	if len(queues) == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for name := range queues {
		for _, wake := range w.by {
			wake(name)
		}
	}
}

// Watch implements persistence.Inbox. It misses nothing: there is nobody else who could put a job into the file.
func (i inbox) Watch(ctx context.Context, wake func(queue string)) error {
	defer i.wakes.add(wake)()
	return i.untilEnd(ctx, "watch the inbox")
}
