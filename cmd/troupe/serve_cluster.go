package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	remoting "github.com/meta-ad-studio/troupe/actors/cluster"
	httpapi "github.com/meta-ad-studio/troupe/http"
	"github.com/meta-ad-studio/troupe/persistence"
)

// clustering is how a node is one of many.
type clustering struct {
	NodeTimeout     time.Duration `help:"After which silence a node is taken for dead, if its process is not known to be gone sooner. Its jobs are adopted then." env:"TROUPE_NODE_TIMEOUT" default:"5s" group:"cluster"`
	RemoteListen    string        `help:"Address on which commands of other nodes are taken, such as 127.0.0.1:0; any but loopback needs certificates. Without it they come by way of Redis and Postgres." env:"TROUPE_REMOTE_LISTEN" placeholder:"ADDRESS" group:"cluster"`
	RemoteAdvertise string        `help:"Address at which other nodes reach this one, if it is not the one listened on." env:"TROUPE_REMOTE_ADVERTISE" placeholder:"ADDRESS" group:"cluster"`
	RemoteCert      string        `help:"Certificate that this node shows to others, PEM; read again when it changes, as are the other two." env:"TROUPE_REMOTE_CERT" type:"path" placeholder:"FILE" group:"cluster"`
	RemoteKey       string        `help:"Its key." env:"TROUPE_REMOTE_KEY" type:"path" placeholder:"FILE" group:"cluster"`
	RemoteCA        string        `help:"Authority that signs the nodes' certificates, and nothing else." env:"TROUPE_REMOTE_CA" name:"remote-ca" type:"path" placeholder:"FILE" group:"cluster"`
}

// maxMachineName leaves room for an incarnation within a job.ValidName.
const maxMachineName = 44

// remote is how nodes reach each other; nil if this one does not take commands. All nodes on one database share the secret.
func (c *clustering) remote(ctx context.Context, b *backends) (*remoting.Config, error) {
	list, static := b.members.(*remoting.Static)
	switch {
	case c.RemoteListen == "" && static:
		return nil, errors.New("--membership static needs --remote-listen: the nodes ask each other whether they live")
	case c.RemoteListen == "" && c.RemoteAdvertise+c.RemoteCert+c.RemoteKey+c.RemoteCA != "":
		return nil, errors.New("the flags --remote-… need --remote-listen")
	case c.RemoteListen == "":
		if _, static := b.members.(*remoting.Static); static {
			return nil, errors.New("--membership static:… needs --remote-listen")
		}
		return nil, nil
	case b.members == nil:
		return nil, errors.New("--remote-listen needs --redis-url and --database-url: an embedded node is alone")
	}
	secret, err := commonSecret(ctx, b.store, "remoting")
	if err != nil {
		return nil, err
	}
	return &remoting.Config{
		Listen: c.RemoteListen, Advertise: c.RemoteAdvertise, CertFile: c.RemoteCert, KeyFile: c.RemoteKey, CAFile: c.RemoteCA, Secret: secret, List: list,
	}, nil
}

// commonSecret is one that all nodes on the database share, made by the first of them.
func commonSecret(ctx context.Context, store persistence.Store, name string) ([]byte, error) {
	fresh := make([]byte, secretSize)
	_, _ = rand.Read(fresh) // never fails
	kept, err := store.Secret(ctx, name, fresh)
	if err != nil {
		return nil, fmt.Errorf("get the secret that nodes share for %s: %s", name, reason(err))
	}
	return kept, nil
}

// secretSize is of a secret that a node makes, in bytes.
const secretSize = max(httpapi.MinSecret, remoting.MinSecret)
