//go:build unix

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// streamReader is a client that watches all jobs of an owner, over one connection after the other, and keeps what it saw.
type streamReader struct {
	cluster *cluster
	owner   string
	cancel  context.CancelFunc
	done    chan struct{}

	mu     sync.Mutex
	seen   map[job.ID]seenJob
	ends   []streamEnd
	opened int
	wrong  []string // what must not be seen
}

// seenJob is the newest that a stream has shown of a job.
type seenJob struct {
	rev    int64
	status job.Status
}

// streamEnd is an orderly end of a connection.
type streamEnd struct {
	node   int
	reason string
	at     time.Time
}

// silenceOfStream is after how long without a word a client takes a connection for dead: a heartbeat is due every 15 s.
const silenceOfStream = 20 * time.Second

// watch opens a stream, first at the given node.
func (c *cluster) watch(first int, owner string) *streamReader {
	ctx, cancel := context.WithCancel(c.ctx)
	s := &streamReader{cluster: c, owner: owner, cancel: cancel, done: make(chan struct{}), seen: map[job.ID]seenJob{}}
	c.streams = append(c.streams, s)
	go func() {
		defer close(s.done)
		for node := first; ctx.Err() == nil; node++ {
			s.read(ctx, node%clusterSize)
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
	c.t.Cleanup(s.close)
	return s
}

func (s *streamReader) close() {
	s.cancel()
	<-s.done
}

// read reads one connection to its end.
func (s *streamReader) read(ctx context.Context, node int) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	silent := time.AfterFunc(silenceOfStream, cancel)
	defer silent.Stop()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.cluster.nodes[node].url+"/v1/stream?topic="+url.QueryEscape("owner:"+s.owner), http.NoBody)
	if err != nil {
		return
	}
	r.Header.Set("Authorization", "Bearer "+clusterToken)
	response, err := s.cluster.client.Do(r)
	if err != nil {
		return
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return
	}
	s.mu.Lock()
	s.opened++
	s.mu.Unlock()
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 1<<20)
	last, event := map[job.ID]int64{}, ""
	for lines.Scan() {
		silent.Reset(silenceOfStream)
		if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			event = name
		} else if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			s.hear(node, event, data, last)
		}
	}
}

// hear takes in one event of a connection that has shown the revisions in last.
func (s *streamReader) hear(node int, event, data string, last map[job.ID]int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch event {
	case "end":
		var end struct {
			Reason string `json:"reason"`
		}
		_ = json.Unmarshal([]byte(data), &end)
		s.ends = append(s.ends, streamEnd{node, end.Reason, time.Now()})
	case "job":
		var frame struct {
			ID     job.ID     `json:"id"`
			Rev    int64      `json:"rev"`
			Status job.Status `json:"status"`
		}
		if err := json.Unmarshal([]byte(data), &frame); err != nil || frame.Rev == 0 {
			s.wrong = append(s.wrong, fmt.Sprintf("a frame that is no job: %.200s", data))
			return
		}
		if frame.Rev <= last[frame.ID] {
			s.wrong = append(s.wrong, fmt.Sprintf("job %s: rev %d after %d on one connection", frame.ID, frame.Rev, last[frame.ID]))
		}
		last[frame.ID] = frame.Rev
		before := s.seen[frame.ID]
		if frame.Rev <= before.rev {
			return // a client that reconnects is shown again what it has seen, and ignores it
		}
		if before.status.Terminal() {
			s.wrong = append(s.wrong, fmt.Sprintf("job %s: %s at rev %d after %s at rev %d", frame.ID, frame.Status, frame.Rev, before.status, before.rev))
		}
		s.seen[frame.ID] = seenJob{frame.Rev, frame.Status}
	}
}

// sawEnd says whether the stream has shown the end of a job.
func (s *streamReader) sawEnd(id job.ID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen[id].status.Terminal()
}
