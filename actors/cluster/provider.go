package cluster

import (
	"runtime"

	"github.com/asynkron/protoactor-go/actor"
	proto "github.com/asynkron/protoactor-go/cluster"
)

// provider is where the library expects its members from. They are given to it by engine.update instead. It implements
// proto.ClusterProvider.
type provider struct {
	e       *engine
	started chan<- error
}

// StartMember implements proto.ClusterProvider. It is the last that the library does to start a member, but for a sleep of a second; the
// goroutine that starts it ends here.
func (p *provider) StartMember(*proto.Cluster) error {
	p.e.system.EventStream.Subscribe(p.e.lost)
	p.started <- nil
	runtime.Goexit()
	return nil
}

// StartClient implements proto.ClusterProvider.
func (*provider) StartClient(*proto.Cluster) error { return nil }

// Shutdown implements proto.ClusterProvider.
func (*provider) Shutdown(bool) error { return nil }

// nobody finds no virtual actor. It implements proto.IdentityLookup.
type nobody struct{}

// Get implements proto.IdentityLookup.
func (nobody) Get(*proto.ClusterIdentity) *actor.PID { return nil }

// RemovePid implements proto.IdentityLookup.
func (nobody) RemovePid(*proto.ClusterIdentity, *actor.PID) {}

// Setup implements proto.IdentityLookup.
func (nobody) Setup(*proto.Cluster, []string, bool) {}

// Shutdown implements proto.IdentityLookup.
func (nobody) Shutdown() {}
