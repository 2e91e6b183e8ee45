package actors

import (
	"context"
	"encoding/json"
	"fmt"
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
	ctx    context.Context // the handler's
	cancel context.CancelCauseFunc

	handle Job

	mu      sync.Mutex
	latest  job.Progress
	spoke   bool // progress was said at all
	told    bool // a progressed message is on its way
	outcome json.RawMessage
	lines   *spool // nil until the handler says something
	over    bool   // the handler has returned
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
	at.ctx, at.cancel = ctx, cancel
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
		at.mu.Lock()
		at.over = true
		result, said := at.outcome, at.lines
		at.mu.Unlock()
		at.intake.freed()
		if said != nil { // the end is not recorded before the last line is written
			said.close(ctx)
		}
		cancel(nil)
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

// checkpoint first has what was said written: whoever goes on from a checkpoint need not say it again.
func (at *attempt) checkpoint(ctx context.Context, data json.RawMessage) error {
	at.mu.Lock()
	said := at.lines
	at.mu.Unlock()
	if said != nil {
		if err := said.flush(ctx); err != nil {
			return err
		}
	}
	return at.record(ctx, job.Checkpointed{Data: data})
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
