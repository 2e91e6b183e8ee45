package actors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/scheduler"

	"github.com/meta-ad-studio/troupe/actors/cluster"
	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// App is one node: it accepts jobs, runs them, and answers for them. Make it with New, give it handlers with Handle, then Start
// it. Its methods may be called from any goroutine.
type App struct {
	config  Config
	log     *slog.Logger
	metrics *metrics
	kinds   map[string]kind
	queues  map[string]Queue

	system    *actor.ActorSystem
	timers    *scheduler.TimerScheduler
	mailboxes *crew // run job actors
	handlers  *crew // run handlers

	supervisor  supervisorRef
	journal     journalRef
	settler     settlerRef
	broadcaster broadcasterRef
	timekeeper  timekeeperRef
	intakes     map[string]intakeRef

	doors      map[string]*door // accepting, one per queue
	inflight   sync.Map         // idempotency keys being answered now: scope+key -> struct{}
	unsaved    sync.Map         // job.ID -> *job.Job: accepted, row not committed yet
	settings   settingsCache
	lineWriter *lineWriter   // what handlers say, on its way to the store
	lineTails  *lineTails    // and to those who follow it
	snapshots  chan struct{} // one for each that is being read

	attention  attention
	depths     readings[persistence.Depth]
	lines      readings[line]
	pastRuns   readings[[]time.Duration]
	durations  durations
	lastDepths sync.Map // queue -> persistence.Depth, as last read for statistics

	started     time.Time
	pulses      []*pulse // of the top-level actors, in the order of their birth; complete when Start returns
	census      sync.Mutex
	censusTaken ActorTree // under census
	asking      asking
	peers       asker             // remoting; nil if the node has none. Set before Start spawns anything
	engine      *cluster.Remoting // the same
	membership  membership
	incarnation atomic.Int64
	views       readings[*view]
	storeHealth health
	inboxHealth health
	cut         atomic.Int32 // what the node is cut off from
	can         []string     // under what it takes parked jobs
	drainTold   atomic.Bool  // OnDrain was called

	state      atomic.Int32 // appNew, appOpen, appDraining, appClosed
	stopLoops  context.CancelFunc
	background context.Context // ends with stopLoops
	loops      loops
}

// loops are the goroutines that a node waits for at its end. None begins once the end has begun.
type loops struct {
	mu     sync.Mutex
	ended  bool
	flying sync.WaitGroup
}

// Go runs f, unless the end has begun, and says whether it does.
func (l *loops) Go(f func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.ended {
		l.flying.Go(f)
	}
	return !l.ended
}

// end waits for all that runs.
func (l *loops) end() {
	l.mu.Lock()
	l.ended = true
	l.mu.Unlock()
	l.flying.Wait()
}

const (
	appNew int32 = iota
	appOpen
	appDraining
	appClosed
)

type kind struct {
	handler Handler
	options KindOptions
}

// KindOptions say how jobs of a kind are treated where their submission says nothing.
type KindOptions struct {
	Queue  string // default "default"
	Policy job.Policy
	// Validate, if set, checks a payload before the job is accepted.
	Validate func(payload []byte) error
}

// New makes a node. Nothing runs until Start.
func New(config Config) (*App, error) {
	if err := config.complete(); err != nil {
		return nil, err
	}
	a := &App{
		config: config, log: config.Log.With("node", config.Node), kinds: map[string]kind{}, queues: map[string]Queue{},
		intakes: map[string]intakeRef{}, doors: map[string]*door{}, mailboxes: newCrew(), handlers: newCrew(),
		snapshots: make(chan struct{}, maxSnapshots),
		attention: attention{news: make(chan struct{}, 1)},
	}
	for _, q := range config.Queues {
		a.queues[q.Name] = q
	}
	a.lineWriter, a.lineTails = newLineWriter(a), newLineTails(a)
	a.membership.app = a
	a.incarnation.Store(config.Incarnation)
	var err error
	if a.metrics, err = newMetrics(config.Metrics); err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	return a, nil
}

// Handle registers the handler of a kind. Call it before Start. It panics on a name that is not valid, taken, or one too
// many, and on a queue that the node does not have: these are mistakes in the program.
func (a *App) Handle(name string, h Handler, options ...KindOptions) {
	k := kind{handler: h}
	if len(options) > 0 {
		k.options = options[0]
	}
	if k.options.Queue == "" {
		k.options.Queue = "default"
	}
	_, taken := a.kinds[name]
	_, queue := a.queues[k.options.Queue]
	switch {
	case a.state.Load() != appNew:
		panic("actors: Handle after Start")
	case !job.ValidName(name), taken, len(a.kinds) == MaxKinds:
		panic(fmt.Sprintf("actors: kind %q: not a valid name, there already, or one too many", name))
	case !queue:
		panic(fmt.Sprintf("actors: kind %q: no queue %q", name, k.options.Queue))
	}
	a.kinds[name] = k
}

// Node is this incarnation's name.
func (a *App) Node() string { return a.config.Node }

// Kinds lists the kinds that have a handler, sorted.
func (a *App) Kinds() []string {
	names := make([]string, 0, len(a.kinds))
	for name := range a.kinds {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Start spawns the actors and begins to claim.
func (a *App) Start(ctx context.Context) error {
	if !a.state.CompareAndSwap(appNew, appOpen) {
		return errors.New("start: the node was started before")
	}
	a.system, a.started = newSystem(a.log), time.Now().UTC()
	a.timers = scheduler.NewTimerScheduler(a.system.Root)
	a.background, a.stopLoops = context.WithCancel(context.WithoutCancel(ctx))
	a.storeHealth.begin(a.started)
	a.inboxHealth.begin(a.started)
	for name, q := range a.queues {
		a.doors[name] = newDoor(a, q)
	}
	if err := a.startRemoting(ctx); err != nil {
		a.state.Store(appClosed)
		a.stopLoops()
		return fmt.Errorf("start: %w", err)
	}
	a.can = a.canTake()
	a.join(a.background)
	if err := a.spawnAll(); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	a.membership.begin()
	a.listen()
	a.loops.Go(func() { a.lineWriter.run(a.background) })
	a.loops.Go(func() { a.lineWriter.tell(a.background) })
	return nil
}

func (a *App) spawnAll() (err error) {
	if a.broadcaster, err = spawnBroadcaster(a); err != nil {
		return err
	}
	if a.settler, err = spawnSettler(a); err != nil {
		return err
	}
	if a.journal, err = spawnJournal(a); err != nil {
		return err
	}
	if a.supervisor, err = spawnSupervisor(a); err != nil {
		return err
	}
	if err := a.firstSettings(); err != nil {
		a.log.Warn("the queues' settings can't be read yet: a queue that is paused may be claimed from", "error", err)
	}
	for name := range a.queues { // all have their address before any of them begins: others look them up
		a.intakes[name] = newIntakeRef(a, name)
	}
	for name, q := range a.queues {
		if err := spawnIntake(a, q, a.settings.get(name)); err != nil {
			return err
		}
	}
	a.timekeeper, err = spawnTimekeeper(a) // last: it speaks to all intakes, and nobody may while they are being spawned
	return err
}

// listen starts the loops that turn what other nodes and servers say into messages.
func (a *App) listen() {
	a.loop("inbox wake-ups", func(ctx context.Context) error {
		return a.config.Inbox.Watch(ctx, func(queue string) {
			if intake, ok := a.intakes[queue]; ok {
				intake.wake()
			}
		})
	})
	a.loop("bus", func(ctx context.Context) error {
		return a.config.Bus.Subscribe(ctx, func() {}, a.received)
	})
	a.loop("pulses", a.feelPulses)
	a.loop("the store", a.probeStore)
	a.loop("what its streams show", a.announce)
	a.loop("fresh rows", func(ctx context.Context) error {
		return a.config.Store.Watch(ctx, a.timekeeper.fresh)
	})
}

// loop runs f until the node closes, again after a pause whenever it fails.
func (a *App) loop(name string, f func(ctx context.Context) error) {
	a.loops.Go(func() {
		for pause := 100 * time.Millisecond; a.background.Err() == nil; pause = min(2*pause, 5*time.Second) {
			began := time.Now()
			if err := f(a.background); err != nil && a.background.Err() == nil {
				a.log.Warn("listening again after an error", "to", name, "error", err)
			}
			if time.Since(began) > time.Minute {
				pause = 100 * time.Millisecond // it was well
			}
			select {
			case <-a.background.Done():
			case <-time.After(pause):
			}
		}
	})
}

// received takes what another node said.
func (a *App) received(d persistence.Delivery) {
	if d.Signal != nil {
		switch d.Signal.Topic {
		case persistence.SignalCancel:
			a.heardCancel(d.Signal)
		case persistence.SignalQueue:
			a.timekeeper.settingsChanged()
		case persistence.SignalLines:
			a.lineTails.poke(d.Signal.Jobs)
		case persistence.SignalRemoved:
			a.broadcaster.removed(d.Signal.Jobs)
		case persistence.SignalPresence:
			a.attention.hear(d.Signal.Presence, time.Now())
		case persistence.SignalInspect, persistence.SignalInspected:
			a.heardOfInspection(d.Signal)
		}
	}
	if d.Gap {
		a.lineTails.pokeAll()
	}
	if len(d.States) > 0 || d.Gap {
		a.broadcaster.received(d)
	}
}

// Drain stops claiming and accepting, lets running handlers end until the context does, hands the rest back to the front of
// the inbox without spending an attempt, and records and settles what has ended. Streams are told to come back
// elsewhere, spread over a part of the time that the context leaves. At last the node leaves the list of members, if nothing of its is left.
func (a *App) Drain(ctx context.Context) error {
	if !a.state.CompareAndSwap(appOpen, appDraining) {
		return nil
	}
	a.log.Info("draining")
	a.broadcaster.drain(drainWindow(ctx))
	for _, intake := range a.intakes {
		intake.close(ctx)
	}
	err := a.supervisor.drain(ctx, lastWrites)
	// What was recorded a moment ago still has to be written and told; a store that is down must not hold up the end.
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWrites)
	defer cancel()
	written := errors.Join(a.journal.flush(last), a.settler.flush(last))
	if written == nil && !errors.Is(err, errJobsLeft) {
		a.leave(last)
	} // else it holds what it could not hand back, and is found dead as after a crash
	err = errors.Join(err, written)
	a.log.Info("drained", "error", err)
	return err
}

// lastWrites is how long a drained node goes on handing back what runs, and then writing what it accepted.
const lastWrites = 5 * time.Second

// Close ends the node. Jobs that were not drained are left to their leases, as after a crash: the node does not take leave then, so
// that others find it dead and adopt them.
func (a *App) Close() {
	switch a.state.Swap(appClosed) {
	case appNew, appClosed:
		return
	}
	for _, d := range a.doors {
		d.close()
	}
	a.supervisor.abandon()
	a.stopLoops()
	a.membership.end()
	if a.engine != nil {
		a.engine.Close()
	}
	a.loops.end()
	for _, pid := range a.topLevel() {
		_ = a.system.Root.StopFuture(pid).Wait()
	}
	a.system.Shutdown()
	a.mailboxes.close()
	a.handlers.close()
}

func (a *App) topLevel() []*actor.PID {
	pids := []*actor.PID{a.timekeeper.pid}
	for _, intake := range a.intakes {
		pids = append(pids, intake.pid)
	}
	return append(pids, a.supervisor.pid, a.journal.pid, a.settler.pid, a.broadcaster.pid)
}

func (a *App) open() bool { return a.state.Load() == appOpen }
