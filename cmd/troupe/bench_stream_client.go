package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// crowd is many streams that are read.
type crowd struct {
	frames atomic.Int64 // of jobs, that have arrived
	cancel context.CancelFunc
	all    sync.WaitGroup
}

func (c *crowd) close() {
	c.cancel()
	c.all.Wait()
}

// settled waits until nothing has arrived for half a second, and says when the last frame had.
func (c *crowd) settled(ctx context.Context) (last time.Time) {
	const tick = 25 * time.Millisecond
	last = time.Now()
	for seen := int64(-1); ctx.Err() == nil && time.Since(last) < 20*tick; time.Sleep(tick) {
		if now := c.frames.Load(); now != seen {
			seen, last = now, time.Now()
		}
	}
	return last
}

func (l *lateness) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.ms)
}

// openAtOnce bounds how many streams are being opened at a time.
const openAtOnce = 64

// openStreams opens n streams and returns when each has said that it is complete. With late, each end of a job is noted.
func openStreams(ctx context.Context, base string, n int, topic func(i int) string, late *lateness) (*crowd, error) {
	ctx, cancel := context.WithCancel(ctx)
	c := &crowd{cancel: cancel}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, ReadBufferSize: 2048, WriteBufferSize: 1024}}
	opening := make(chan struct{}, openAtOnce)
	ready := make(chan error, n)
	for i := range n {
		opening <- struct{}{}
		c.all.Go(func() {
			once := sync.OnceFunc(func() { <-opening })
			defer once()
			err := c.read(ctx, client, base+"/v1/stream?topic="+url.QueryEscape(topic(i)), late, func() {
				ready <- nil
				once()
			})
			if err != nil && ctx.Err() == nil {
				ready <- err
			}
		})
	}
	for range n {
		select {
		case err := <-ready:
			if err != nil {
				c.close()
				return nil, err
			}
		case <-ctx.Done():
			c.close()
			return nil, ctx.Err()
		}
	}
	return c, nil
}

// read reads one stream until it ends.
func (c *crowd) read(ctx context.Context, client *http.Client, address string, late *lateness, ready func()) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("open a stream: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		answer, _ := io.ReadAll(io.LimitReader(resp.Body, 1000))
		return fmt.Errorf("open a stream: %d %s", resp.StatusCode, answer)
	}
	lines := bufio.NewReaderSize(resp.Body, 4096)
	job := false
	for {
		line, err := lines.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull): // a frame of this size is none of the bench's
			continue
		case err != nil:
			return fmt.Errorf("read a stream: %w", err)
		case bytes.HasPrefix(line, []byte("event: ")):
			job = bytes.Equal(line, []byte("event: job\n"))
			if bytes.Equal(line, []byte("event: ready\n")) {
				ready()
			}
		case job && bytes.HasPrefix(line, []byte("data: ")):
			c.frames.Add(1)
			if late != nil {
				if err := late.note(line[len("data: "):]); err != nil {
					return err
				}
			}
		}
	}
}

// note notes how long ago the job ended, if it has.
func (l *lateness) note(frame []byte) error {
	var view struct {
		Terminal bool `json:"terminal"`
		At       struct {
			Finished time.Time `json:"finished"`
		} `json:"at"`
	}
	if !bytes.Contains(frame, []byte(`"terminal":true`)) {
		return nil
	}
	if err := json.Unmarshal(frame, &view); err != nil {
		return fmt.Errorf("a frame that is no job: %w", err)
	}
	if view.Terminal {
		l.add(view.At.Finished)
	}
	return nil
}

// stall opens a stream of all jobs that nobody reads, with the least of buffers.
func stall(ctx context.Context, base string) (io.Closer, error) {
	address, err := url.Parse(base)
	if err != nil {
		return nil, err
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", address.Host)
	if err != nil {
		return nil, fmt.Errorf("open a stream: %w", err)
	}
	_ = conn.(*net.TCPConn).SetReadBuffer(4096)
	if _, err := fmt.Fprintf(conn, "GET /v1/stream?topic=all HTTP/1.1\r\nHost: %s\r\n\r\n", address.Host); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("open a stream: %w", err)
	}
	return conn, nil
}
