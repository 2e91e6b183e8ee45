//go:build unix

package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/persistence/storetest/testenv"
)

// clusterSize is how many nodes a cluster of the tests has.
const clusterSize = 3

// cluster is three nodes, processes of the real binary, on a Redis and a Postgres of their own, and everybody who keeps a record of what
// they do: the clients, the handlers, the readers of streams, and who breaks things.
type cluster struct {
	t       *testing.T
	ctx     context.Context
	dir     string
	program string
	queues  []string // NAME=CONCURRENCY
	drain   time.Duration
	args    []string // further flags of every node

	redis, database *testenv.Server
	net             clusterNet
	nodes           [clusterSize]*clusterNode
	client          *http.Client
	journal         *journalOfHandlers
	orders          *orderBook
	streams         []*streamReader
	since           time.Time  // when all nodes had started
	authority       *authority // nil until a node needs a certificate

	mu     sync.Mutex
	faults []*faultRecord
}

// clusterNet is how nodes reach the servers and each other.
type clusterNet interface {
	// command is the command that runs a node.
	command(node int, program string, args []string) *exec.Cmd
	// args are flags that belong to the node's place.
	args(node int) []string
	// redis and postgres are the URLs at which the node finds the servers.
	redis(node int) string
	postgres(node int) string
	// http is the address of the node's interface, host:port.
	http(node int) string
	// cut breaks links of a node, and heals them.
	cut(node int, state linkState, links ...string)
}

// The links of a node that can be cut.
const (
	toRedis    = "redis"
	toPostgres = "postgres"
	toPeers    = "peers"
)

// faultRecord is what was done to a node, and when.
type faultRecord struct {
	node     string // its full name
	kind     string
	from, to time.Time // to is zero while it lasts
}

// clusterPatience bounds every wait: much longer than any takes on a busy machine.
const clusterPatience = 90 * time.Second

// poll waits until ready says so.
func (c *cluster) poll(what string, ready func() bool) error {
	for deadline := time.Now().Add(clusterPatience); !ready(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			return fmt.Errorf("waited %s in vain for %s", clusterPatience, what)
		}
	}
	return nil
}

// await is poll, and the end of the test if it is in vain.
func (c *cluster) await(what string, ready func() bool) {
	c.t.Helper()
	if err := c.poll(what, ready); err != nil {
		c.t.Fatal(err)
	}
}

// newCluster starts servers. The nodes are started by start.
func newCluster(t *testing.T, program string, queues ...string) *cluster {
	t.Helper()
	c := &cluster{
		t: t, ctx: t.Context(), program: program, queues: queues, drain: 2 * time.Second, orders: newOrderBook(),
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, DialContext: dialNode}},
	}
	dir, err := os.MkdirTemp("", "troupe-cluster-") // short: a socket's path has at most 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	c.dir = dir
	t.Cleanup(func() { _ = os.RemoveAll(dir); c.client.CloseIdleConnections() })
	c.journal = startJournal(t, dir)
	c.redis = testenv.StartRedis(t, testenv.Options{Durable: true})
	c.database = testenv.StartPostgres(t, testenv.Options{Durable: true, Args: []string{"-c", "max_connections=300"}})
	migrate := exec.CommandContext(t.Context(), program, "migrate", "up")
	migrate.Env = append(os.Environ(), "TROUPE_DATABASE_URL="+c.database.URL)
	if out, err := migrate.CombinedOutput(); err != nil {
		t.Fatalf("migrate: %v\n%s", err, out)
	}
	return c
}

// start puts the nodes into a net and starts them.
func (c *cluster) start(net clusterNet) {
	c.t.Helper()
	c.net = net
	for i := range c.nodes {
		name := fmt.Sprintf("n%d", i+1)
		c.nodes[i] = &clusterNode{cluster: c, index: i, name: name, url: "http://" + net.http(i), log: filepath.Join(c.dir, name+".log")}
	}
	c.t.Cleanup(c.end)
	for _, n := range c.nodes {
		n.start()
	}
	c.together()
	c.since = time.Now()
}

// settled waits until the list of nodes may declare somebody dead: it must have been well for as long as a node may be silent.
func (c *cluster) settled() { time.Sleep(time.Until(c.since.Add(6 * time.Second))) }

// together waits until every node knows of all three, and of no others.
func (c *cluster) together() {
	c.t.Helper()
	want := []string{}
	for _, n := range c.nodes {
		want = append(want, n.identity())
	}
	slices.Sort(want)
	c.await("the nodes to know each other", func() bool {
		for _, n := range c.nodes {
			got := n.members()
			slices.Sort(got)
			if !slices.Equal(got, want) {
				return false
			}
		}
		return true
	})
}

// end kills what still runs, and looks for what must never be in a log.
func (c *cluster) end() {
	for _, n := range c.nodes {
		if n.cmd == nil || n.cmd.Process == nil {
			continue
		}
		n.signal(syscall.SIGCONT)
		n.kill()
		log, err := os.ReadFile(n.log)
		if err != nil {
			c.t.Errorf("read the log of %s: %v", n.name, err)
		}
		for _, bad := range []string{"DATA RACE", "\npanic: ", "fatal error:"} {
			if at := bytes.Index(log, []byte(bad)); at >= 0 {
				c.t.Errorf("node %s:\n%s", n.name, log[at:min(len(log), at+8192)])
			}
		}
		if *clusterLogs != "" {
			_ = os.WriteFile(filepath.Join(*clusterLogs, filepath.Base(c.dir)+"-"+n.name+".log"), log, 0o600)
		}
		if c.t.Failed() {
			said := slices.DeleteFunc(bytes.Split(log, []byte("\n")), func(line []byte) bool { return bytes.Contains(line, []byte(`"msg":"request"`)) })
			c.t.Logf("the log of %s, without requests, ends:\n%s", n.name, bytes.Join(said[max(0, len(said)-30):], []byte("\n")))
		}
	}
}

// fault records that something is done to a node from now on.
func (c *cluster) fault(n *clusterNode, kind string) *faultRecord {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := &faultRecord{node: n.identity(), kind: kind, from: time.Now()}
	c.faults = append(c.faults, f)
	return f
}

// newKey is an idempotency key.
func newKey() string { return rand.Text() }
