package actors

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"runtime/debug"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// attempt is one run of a handler, in a goroutine of its own. It knows its job actor only as somebody to tell: everything it has to
// say becomes a message, and a panic becomes an error.
type attempt struct {
	app    *App
	self   *actor.PID // the job actor
	intake intakeRef  // which counts running handlers
	token  int64
	id     job.ID
	cancel context.CancelCauseFunc

	handle Job

	mu      sync.Mutex
	latest  job.Progress
	spoke   bool // progress was said at all
	told    bool // a progressed message is on its way
	outcome json.RawMessage
}

// panicError is a handler's panic.
type panicError struct {
	value any
	stack string
}

func (p *panicError) Error() string { return fmt.Sprintf("panic: %v", p.value) }

// run starts the handler and tells the job actor how it ended.
func (at *attempt) run(h Handler, record *job.Job) {
	ctx, cancel := context.WithCancelCause(context.Background())
	at.cancel = cancel
	at.handle = Job{record: record, report: at, log: at.app.log}
	var timeout *time.Timer
	if d := time.Duration(record.Policy.Timeout); d > 0 {
		timeout = time.AfterFunc(d, func() { at.app.system.Root.Send(at.self, &timedOut{}) })
	}
	at.app.handlers.run(func() {
		err := safely(ctx, h, &at.handle)
		if timeout != nil {
			timeout.Stop()
		}
		cancel(nil)
		at.mu.Lock()
		result := at.outcome
		at.mu.Unlock()
		at.intake.freed()
		at.app.system.Root.Send(at.self, &finished{result: result, err: err})
	})
}

func safely(ctx context.Context, h Handler, j *Job) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &panicError{r, string(debug.Stack())}
		}
	}()
	return h(ctx, j)
}

func (at *attempt) progress(p job.Progress) {
	at.mu.Lock()
	defer at.mu.Unlock()
	at.latest, at.spoke = p, true
	if !at.told {
		at.told = true
		at.app.system.Root.Send(at.self, &progressed{})
	}
}

// taken is the latest progress, if there was any; a newer one will be told anew.
func (at *attempt) taken() (latest job.Progress, spoke bool) {
	at.mu.Lock()
	defer at.mu.Unlock()
	at.told = false
	return at.latest, at.spoke
}

func (at *attempt) watched() bool { return at.app.attention.watched(at.handle.record) }

func (at *attempt) result(data json.RawMessage) {
	at.mu.Lock()
	defer at.mu.Unlock()
	at.outcome = data
}

func (at *attempt) checkpoint(ctx context.Context, data json.RawMessage) error {
	return at.record(ctx, job.Checkpointed{Data: data})
}

func (at *attempt) artifact(ctx context.Context, name, mediaType string, content io.Reader, max int64) (job.Artifact, error) {
	stored, err := at.app.config.Artifacts.Put(ctx, at.id, at.token, name, mediaType, content, max)
	if err != nil {
		return job.Artifact{}, fmt.Errorf("store artifact %s: %w", name, err)
	}
	return stored, at.record(ctx, job.ArtifactStored{Artifact: stored})
}

// record has the job actor apply the event, and waits until the store has it.
func (at *attempt) record(ctx context.Context, e job.Event) error {
	reply := make(chan error, 1)
	at.app.system.Root.Send(at.self, &keep{event: e, reply: reply})
	select {
	case err := <-reply:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
