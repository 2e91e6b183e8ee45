package main

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// namespaceNet gives each node a host of its own: a network namespace with a link each to Redis, to Postgres, to its peers and to its
// clients. Each of the four is a bridge of its own, so that a link can be taken down for both directions, as when a cable is pulled:
// nothing arrives, nothing is refused. Redis and Postgres are reached at addresses that only these bridges have.
//
//	root namespace                                   namespace troupe-PID-N-1
//	Redis     10.R.1.1 ─ bridge …r ─ veth ─────────── 10.R.1.11
//	Postgres  10.R.2.1 ─ bridge …p ─ veth ─────────── 10.R.2.11
//	                     bridge …m ─ veth ─────────── 10.R.3.11   and the peers' 10.R.3.12, 10.R.3.13
//	clients   10.R.4.1 ─ bridge …c ─ veth ─────────── 10.R.4.11
type namespaceNet struct {
	c       *cluster
	id      string // in every name
	network int    // R
	servers [2]*faultProxy
}

// The bridges, by the third number of their addresses.
var namespaceLinks = []struct {
	name   string
	letter string
}{{toRedis, "r"}, {toPostgres, "p"}, {toPeers, "m"}, {"clients", "c"}}

const namespacePrefix = "troupe-"

func ip(args ...string) error {
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("ip %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}

// needNamespaces skips the test where hosts can't be made.
func needNamespaces(t *testing.T) {
	t.Helper()
	sweepNamespaces()
	name := fmt.Sprintf("%s%d-try", namespacePrefix, os.Getpid())
	err := ip("netns", "add", name)
	if err == nil {
		defer func() { _ = ip("netns", "del", name) }()
		err = ip("netns", "exec", name, "ip", "link", "add", "try", "type", "bridge")
	}
	if err != nil {
		t.Skipf("network namespaces can't be made here (they need root and the program ip): %v", err)
	}
}

// sweepNamespaces removes what a killed process has left.
func sweepNamespaces() {
	left, _ := filepath.Glob("/run/netns/" + namespacePrefix + "*")
	for _, path := range left {
		pid, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(path), namespacePrefix), "-")
		if n, err := strconv.Atoi(pid); err == nil && n > 0 {
			if _, err := os.Stat(filepath.Join("/proc", pid)); os.IsNotExist(err) {
				_ = ip("netns", "del", filepath.Base(path))
			}
		}
	}
	bridges, _ := filepath.Glob("/sys/class/net/tr*")
	for _, path := range bridges {
		pid, _, ok := strings.Cut(strings.TrimPrefix(filepath.Base(path), "tr"), "x")
		if _, err := os.Stat(filepath.Join("/proc", pid)); ok && os.IsNotExist(err) {
			_ = ip("link", "del", filepath.Base(path))
		}
	}
}

func newNamespaceNet(t *testing.T, c *cluster) *namespaceNet {
	t.Helper()
	n := &namespaceNet{c: c}
	t.Cleanup(n.remove)
	for range 50 { // other clusters of this process, and other processes, are at it, too
		n.network, n.id = 64+rand.IntN(128), fmt.Sprintf("%d-%d", os.Getpid(), rand.IntN(100))
		if inUse(n.network) {
			continue
		}
		if err := ip("link", "add", n.bridge("r"), "type", "bridge"); err == nil {
			break
		}
	}
	for third, link := range namespaceLinks {
		bridge := n.bridge(link.letter)
		if link.letter != "r" {
			n.must(ip("link", "add", bridge, "type", "bridge"))
		}
		if link.name != toPeers { // nobody but the nodes is there
			n.must(ip("address", "add", n.address(third, 1)+"/24", "dev", bridge))
		}
		n.must(ip("link", "set", bridge, "up"))
	}
	for i := range clusterSize {
		n.must(ip("netns", "add", n.host(i)))
		n.must(ip("-n", n.host(i), "link", "set", "lo", "up"))
		for third, link := range namespaceLinks {
			outer, inner := n.veth(i, link.letter), "eth-"+link.letter
			n.must(ip("link", "add", outer, "type", "veth", "peer", "name", inner, "netns", n.host(i)))
			n.must(ip("link", "set", outer, "master", n.bridge(link.letter), "up"))
			n.must(ip("-n", n.host(i), "address", "add", n.address(third, 11+i)+"/24", "dev", inner))
			n.must(ip("-n", n.host(i), "link", "set", inner, "up"))
		}
	}
	n.servers[0] = startProxy(t, net.JoinHostPort(n.address(0, 1), "0"), c.redis.Addr, nil)
	n.servers[1] = startProxy(t, net.JoinHostPort(n.address(1, 1), "0"), c.database.Addr, nil)
	return n
}

func (n *namespaceNet) must(err error) {
	n.c.t.Helper()
	if err != nil {
		n.c.t.Fatal(err)
	}
}

// remove removes the hosts, whose links go with them, and the bridges.
func (n *namespaceNet) remove() {
	for i := range clusterSize {
		_ = ip("netns", "del", n.host(i))
	}
	for _, link := range namespaceLinks {
		_ = ip("link", "del", n.bridge(link.letter))
	}
}

// inUse says whether the machine has an address in the network already.
func inUse(network int) bool {
	all, _ := net.InterfaceAddrs()
	for _, a := range all {
		if strings.HasPrefix(a.String(), fmt.Sprintf("10.%d.", network)) {
			return true
		}
	}
	return false
}

func (n *namespaceNet) host(i int) string { return fmt.Sprintf("%s%s-%d", namespacePrefix, n.id, i+1) }

// bridge is a name of at most 15 bytes.
func (n *namespaceNet) bridge(letter string) string {
	return "tr" + strings.ReplaceAll(n.id, "-", "x") + letter
}

func (n *namespaceNet) veth(i int, letter string) string {
	return fmt.Sprintf("%s%d", n.bridge(letter), i)
}

func (n *namespaceNet) address(third, host int) string {
	return fmt.Sprintf("10.%d.%d.%d", n.network, third+1, host)
}

func (n *namespaceNet) command(node int, program string, args []string) *exec.Cmd {
	return exec.Command("ip", append([]string{"netns", "exec", n.host(node), program}, args...)...)
}

func (n *namespaceNet) args(node int) []string {
	at := net.JoinHostPort(n.address(2, 11+node), "7946")
	return append(n.c.remoting(at, at), n.c.certificates(n.address(2, 11+node))...)
}

func (n *namespaceNet) redis(int) string    { return through(n.c.redis.URL, n.servers[0].addr()) }
func (n *namespaceNet) postgres(int) string { return through(n.c.database.URL, n.servers[1].addr()) }

func (n *namespaceNet) http(node int) string {
	return net.JoinHostPort(n.address(3, 11+node), "8080")
}

func (n *namespaceNet) cut(node int, state linkState, links ...string) {
	to := "up"
	if state != linkWell {
		to = "down"
	}
	for _, link := range links {
		for _, known := range namespaceLinks {
			if known.name == link {
				n.must(ip("link", "set", n.veth(node, known.letter), to))
			}
		}
	}
}

// namespaceCase is the case that the short version does between hosts.
const namespaceCase = "cut-all"

// TestClusterHosts is TestCluster between hosts.
func TestClusterHosts(t *testing.T) {
	if testing.Short() {
		t.Skip("starts clusters of processes and breaks them")
	}
	needNamespaces(t)
	program := programOfTests(t)
	for _, k := range clusterCases {
		if *clusterRuns == 0 && k.name != namespaceCase {
			continue
		}
		k.name = "hosts/" + k.name
		t.Run(k.name, func(t *testing.T) {
			k.prove(t, program, func(t *testing.T, c *cluster) clusterNet { return newNamespaceNet(t, c) })
		})
	}
}
