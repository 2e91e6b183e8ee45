//go:build unix

package main

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// proxyNet is a net on one machine: every node reaches Redis, Postgres and its peers through proxies of its own.
type proxyNet struct {
	c                   *cluster
	toRedis, toPostgres [clusterSize]*faultProxy
	toNode              [clusterSize]*faultProxy // the peers' way to a node's remoting
	listens             [clusterSize]string      // where that remoting listens
	https               [clusterSize]string
}

func newProxyNet(t *testing.T, c *cluster) *proxyNet {
	t.Helper()
	n := &proxyNet{c: c}
	for i := range clusterSize {
		n.toRedis[i] = startProxy(t, "127.0.0.1:0", c.redis.Addr, nil)
		n.toPostgres[i] = startProxy(t, "127.0.0.1:0", c.database.Addr, nil)
		n.listens[i], n.https[i] = quietAddress(t), quietAddress(t)
		n.toNode[i] = startProxy(t, "127.0.0.1:0", n.listens[i], n.callerOf)
	}
	return n
}

func (n *proxyNet) command(_ int, program string, args []string) *exec.Cmd {
	return exec.Command(program, args...)
}

func (n *proxyNet) args(node int) []string {
	return n.c.remoting(n.listens[node], n.toNode[node].addr())
}

func (n *proxyNet) redis(node int) string {
	return through(n.c.redis.URL, n.toRedis[node].addr())
}

func (n *proxyNet) postgres(node int) string {
	return through(n.c.database.URL, n.toPostgres[node].addr())
}

func (n *proxyNet) http(node int) string { return n.https[node] }

// through is an address that leads to another host.
func through(address, host string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	u.Host = host
	return u.String()
}

func (n *proxyNet) cut(node int, state linkState, links ...string) {
	for _, link := range links {
		switch link {
		case toRedis:
			n.toRedis[node].set(state, 0)
		case toPostgres:
			n.toPostgres[node].set(state, 0)
		case toPeers:
			for other := range clusterSize {
				if other == node {
					n.toNode[node].set(state, -1, 0, 1, 2)
				} else {
					n.toNode[other].set(state, node)
				}
			}
		}
	}
}

// callerOf finds which node has called: whose process has the socket at the other end. -1 if none has.
func (n *proxyNet) callerOf(conn net.Conn) int {
	remote, ok := conn.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return -1
	}
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		return -1
	}
	suffix, socket := fmt.Sprintf(":%04X", remote.Port), ""
	for line := range strings.Lines(string(table)) {
		f := strings.Fields(line) // number, local address, remote address, ..., inode
		if len(f) > 9 && strings.HasSuffix(f[1], suffix) {
			socket = "socket:[" + f[9] + "]"
			break
		}
	}
	return slices.IndexFunc(n.c.nodes[:], func(node *clusterNode) bool {
		if socket == "" || node == nil || node.cmd == nil || node.cmd.Process == nil {
			return false
		}
		files, _ := filepath.Glob(filepath.Join("/proc", strconv.Itoa(node.cmd.Process.Pid), "fd", "*"))
		return slices.ContainsFunc(files, func(file string) bool {
			name, _ := os.Readlink(file)
			return name == socket
		})
	})
}
