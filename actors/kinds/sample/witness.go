package sample

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
)

// Witnessed is what a witness hears of one run of a handler: once when it starts and once when it has returned.
type Witnessed struct {
	Job     job.ID    `json:"job"`
	Token   int64     `json:"token"`
	Attempt int       `json:"attempt"`
	Node    string    `json:"node"`
	PID     int       `json:"pid"`
	Ended   bool      `json:"ended"`
	Error   string    `json:"error,omitempty"` // that it returned
	At      time.Time `json:"at"`              // by the node's clock
}

// maxWitnessedError bounds an error's text, in bytes.
const maxWitnessedError = 512

// witness tells runs to somebody who listens at a socket.
type witness struct {
	mu   sync.Mutex
	conn *net.UnixConn
}

// Witness has each of the handlers tell a Unix socket, by its path, when it starts and when it ends, a line of JSON each: what ran
// where, told by the handlers themselves and not by what is under test. A handler does not start, and does not end, before that is
// on its way, which the end of this process does not stop. Nobody at the socket is an error.
func Witness(path string, handlers map[string]actors.Handler) (map[string]actors.Handler, error) {
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("call the witness: %w", err)
	}
	w := &witness{conn: conn}
	all := make(map[string]actors.Handler, len(handlers))
	for kind, h := range handlers {
		all[kind] = func(ctx context.Context, j *actors.Job) error {
			run := Witnessed{Job: j.ID(), Token: j.Token(), Attempt: j.Attempt(), Node: j.Record().Node, PID: os.Getpid()}
			if err := w.tell(run); err != nil {
				return err
			}
			err := h(ctx, j)
			run.Ended = true
			if err != nil {
				text := err.Error()
				run.Error = text[:min(len(text), maxWitnessedError)]
			}
			if told := w.tell(run); err == nil {
				err = told
			}
			return err
		}
	}
	return all, nil
}

func (w *witness) tell(run Witnessed) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	run.At = time.Now()
	text, err := json.Marshal(run)
	if err == nil {
		_, err = w.conn.Write(append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("tell the witness: %w", err)
	}
	return nil
}
