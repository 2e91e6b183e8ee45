package actors

import (
	"context"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// newSystem makes the actor system that all actors of a node live in. Its own metrics stay off (they cost microseconds a
// message) and its log goes to ours.
func newSystem(log *slog.Logger) *actor.ActorSystem {
	return actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
			return slog.New(warnings{log.With("part", "actors").Handler()})
		}),
		actor.WithDeadLetterRequestLogging(false),
		actor.WithDeadLetterThrottleCount(0),
		actor.WithDeadLetterThrottleInterval(10*time.Millisecond),
	)
}

// warnings lets pass what somebody should see. The library tells of every message to an actor that has ended, which is
// how a late timer of an ended job ends.
type warnings struct{ slog.Handler }

// Enabled implements slog.Handler.
func (w warnings) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && w.Handler.Enabled(ctx, level)
}

// spawn starts a top-level actor under a name. The producer hands out one instance for ever, so that a restart after a
// panic loses the message that caused it and nothing else; a guardian restarts it without end.
func (a *App) spawn(name string, receiver actor.Actor, options ...actor.PropsOption) (*actor.PID, error) {
	forever := actor.NewOneForOneStrategy(1000, time.Minute, actor.DefaultDecider)
	p := a.newPulse(name)
	options = append(options,
		actor.WithGuardian(forever), actor.WithDispatcher(a.mailboxes), actor.WithMailbox(p.mailbox),
		actor.WithReceiverMiddleware(safeStop(a.log), p.feel(a.metrics.restarts.WithLabelValues("supervisor"))))
	pid, err := a.system.Root.SpawnNamed(actor.PropsFromProducer(func() actor.Actor { return receiver }, options...), name)
	p.pid = pid
	return pid, err
}

// safeStop keeps a panic in a lifecycle hook from reaching the supervisor: there it would resurrect the actor, or hang its
// parent's stop for ever.
func safeStop(log *slog.Logger) actor.ReceiverMiddleware {
	return func(next actor.ReceiverFunc) actor.ReceiverFunc {
		return func(c actor.ReceiverContext, e *actor.MessageEnvelope) {
			switch e.Message.(type) {
			case *actor.Stopping, *actor.Stopped, *actor.Restarting:
				defer func() {
					if r := recover(); r != nil {
						log.Error("panic in a lifecycle hook", "actor", c.Self().Id, "panic", r, "stack", string(debug.Stack()))
					}
				}()
			}
			next(c, e)
		}
	}
}
