package cluster

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	proto "github.com/asynkron/protoactor-go/cluster"
	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/meta-ad-studio/troupe/persistence"
)

// never is an interval or expiration of the library's gossip, which is not used.
const never = time.Duration(math.MaxInt64)

// engine is one life of the library: an actor system, its remote and its cluster, at one address. It ends for good.
type engine struct {
	r       *Remoting
	log     *slog.Logger // of the library too: warnings, and each of them rarely
	system  *actor.ActorSystem
	cluster *proto.Cluster
	desk    *actor.PID
	life    context.Context // of its streams
	end     context.CancelFunc
	lines   lines

	// topology is held for reading while the library reads its block list, which has no lock of its own there.
	topology sync.RWMutex
	seen     map[string]*proto.Member // by node: who the library knows; set by update alone
	arrivals uint64
}

// startEngine listens and answers when requests are served.
func startEngine(ctx context.Context, r *Remoting) (*engine, error) {
	e := &engine{r: r, log: slog.New(newRare(r.log.Handler())), seen: map[string]*proto.Member{}}
	e.lines.init()
	e.life, e.end = context.WithCancel(context.WithoutCancel(ctx))
	e.system = actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return e.log }),
		actor.WithDeadLetterRequestLogging(false),
		actor.WithDeadLetterThrottleCount(0),
		actor.WithDeadLetterThrottleInterval(10*time.Millisecond),
	)
	e.desk, _ = e.system.ProcessRegistry.Add(desk{e}, deskName)
	config := proto.Configure("troupe", &provider{e: e}, nobody{}, e.remoteConfig(), proto.WithHeartbeatExpiration(never))
	config.GossipInterval = never
	e.cluster = proto.New(e.system, config)

	started := make(chan error, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				started <- fmt.Errorf("remoting: listen on %s: %v: %w", e.r.config.Listen, p, persistence.ErrUnavailable)
			}
		}()
		e.cluster.Config.ClusterProvider.(*provider).started = started
		e.cluster.StartMember()
	}()
	// It takes milliseconds and can't be given up half way.
	if err := <-started; err != nil {
		e.end()
		return nil, err
	}
	return e, nil
}

// send puts an envelope on the line to an address, which begins if there is none. It does not block on the network.
func (e *engine) send(address string, data []byte) error {
	if e.life.Err() != nil {
		return errDown
	}
	if err := e.lines.queue(address, len(data)); err != nil {
		return err
	}
	e.system.Root.Send(actor.NewPID(address, deskName), wrapperspb.Bytes(data))
	return nil
}

// update tells the library who lives. Those it knew and who are gone lose their connection. A member gets another name with each arrival,
// because the library never takes back one that it has dropped.
func (e *engine) update(peers map[string]persistence.Member) {
	e.topology.Lock()
	defer e.topology.Unlock()
	members := proto.Members{member(e.system.ID, e.r.address)}
	seen := make(map[string]*proto.Member, len(peers))
	for name, peer := range peers {
		known := e.seen[name]
		prefix := fmt.Sprintf("%s/%d/", name, peer.Incarnation)
		if known == nil || known.Address() != peer.Address || !strings.HasPrefix(known.Id, prefix) {
			e.arrivals++
			known = member(fmt.Sprint(prefix, e.arrivals), peer.Address)
			e.lines.retry(peer.Address)
		}
		seen[name] = known
		members = append(members, known)
	}
	e.seen = seen
	e.cluster.MemberList.UpdateClusterTopology(members)
}

func member(id, address string) *proto.Member {
	host, port, _ := split(address)
	return &proto.Member{Id: id, Host: bracketed(host), Port: int32(port)}
}

// lost hears of a line's end, once the library has forgotten it.
func (e *engine) lost(event any) {
	if gone, ok := event.(*remote.EndpointTerminatedEvent); ok {
		e.r.unreachable(e, gone.Address, e.lines.drop(gone.Address))
	}
}

// stop ends the engine. The library's own way takes two seconds and may panic; this one ends each of its parts.
func (e *engine) stop() {
	e.end() // all lines, and attempts to make one
	for _, address := range e.lines.addresses() {
		e.quietly(func() { e.system.EventStream.Publish(&remote.EndpointTerminatedEvent{Address: address}) })
	}
	e.quietly(func() { e.cluster.Remote.Shutdown(false) })
	e.quietly(e.cluster.Gossip.Shutdown)
	e.quietly(e.system.Shutdown)
	e.lines.wait(closeWithin)
}

func (e *engine) quietly(step func()) {
	defer func() {
		if p := recover(); p != nil {
			e.log.Warn("remoting: panic while it ends", "panic", p)
		}
	}()
	step()
}

// bracketed is a host as the library joins it to a port.
func bracketed(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}
