package cluster

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meta-ad-studio/troupe/persistence"
)

// Bounds of what is sent.
const (
	// maxQueued bounds what waits to be sent to one address, in bytes.
	maxQueued = 32 << 20
	// sulk is for how long an address that could not be reached is not tried again.
	sulk = 100 * time.Millisecond
	// maxPosts bounds the addresses that are remembered.
	maxPosts = 2 * persistence.MaxMembers
)

// lines are the connections of an engine to others, by address.
type lines struct {
	mu    sync.Mutex
	posts map[string]*post
	open  int // lines that have begun and not ended
	ended chan struct{}
}

// post is what waits to be sent to an address, and why nothing can be, if so.
type post struct {
	queued atomic.Int64
	mu     sync.Mutex
	until  time.Time
	err    error
}

func (l *lines) init() { l.posts, l.ended = map[string]*post{}, make(chan struct{}, 1) }

// fail remembers why the address could not be reached.
func (p *post) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.err, p.until = err, time.Now().Add(sulk)
}

// why is the error that forbids to try the address again by now, and until when; nil if none does.
func (p *post) why() (until time.Time, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Now().Before(p.until) {
		return p.until, p.err
	}
	return time.Time{}, nil
}

// to is the post of an address.
func (l *lines) to(address string) *post {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.posts[address]
	if p == nil {
		if len(l.posts) >= maxPosts {
			for any := range l.posts { // it costs no more than a short memory
				delete(l.posts, any)
				break
			}
		}
		p = new(post)
		l.posts[address] = p
	}
	return p
}

// queue notes what is sent, or says why it can't be.
func (l *lines) queue(address string, size int) error {
	p := l.to(address)
	if _, err := p.why(); err != nil {
		return err
	}
	if p.queued.Add(int64(size)) > maxQueued {
		p.queued.Add(-int64(size))
		return fmt.Errorf("%d MB wait to be sent already: %w", maxQueued>>20, persistence.ErrUnavailable)
	}
	return nil
}

// begin notes a line that begins.
func (l *lines) begin(address string) *post {
	p := l.to(address)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open++
	return p
}

// done notes that the library has hung up a line.
func (l *lines) done() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open--
	if l.open == 0 {
		select {
		case l.ended <- struct{}{}:
		default:
		}
	}
}

// drop notes that the line to an address has ended, with all that waited on it, and answers why.
func (l *lines) drop(address string) error {
	l.mu.Lock()
	p := l.posts[address]
	delete(l.posts, address)
	l.mu.Unlock()
	if p != nil {
		if until, err := p.why(); err != nil {
			fresh := l.to(address)
			fresh.mu.Lock()
			fresh.err, fresh.until = err, until
			fresh.mu.Unlock()
			return err
		}
	}
	return fmt.Errorf("the connection is lost: %w", persistence.ErrUnavailable)
}

// retry lets an address be tried again at once: there is news of it.
func (l *lines) retry(address string) {
	l.mu.Lock()
	p := l.posts[address]
	l.mu.Unlock()
	if p != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.until = time.Time{}
	}
}

func (l *lines) addresses() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := make([]string, 0, len(l.posts))
	for address := range l.posts {
		list = append(list, address)
	}
	return list
}

// wait returns when all lines have ended, or after the time.
func (l *lines) wait(within time.Duration) {
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	for {
		l.mu.Lock()
		open := l.open
		l.mu.Unlock()
		if open == 0 {
			return
		}
		select {
		case <-l.ended:
		case <-deadline.C:
			return
		}
	}
}
