//go:build unix

package testenv

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"
)

// clusterSlots is how many slots a Redis Cluster divides its keys into.
const clusterSlots = 16384

// StartRedisCluster gives the test a Redis Cluster of its own: masters that share the slots, without replicas. It has formed when
// this returns.
func StartRedisCluster(t testing.TB, masters int) []*Server {
	t.Helper()
	servers := make([]*Server, masters)
	for i := range servers {
		port, err := freePort()
		if err != nil {
			t.Fatalf("redis cluster for tests: %v", err)
		}
		servers[i] = StartRedis(t, Options{Args: []string{
			"--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(port), "--cluster-node-timeout", "5000",
		}})
	}
	ctx, cancel := context.WithTimeout(t.Context(), startWithin)
	defer cancel()
	if err := formCluster(ctx, servers); err != nil {
		t.Fatalf("redis cluster for tests: %v", err)
	}
	return servers
}

func formCluster(ctx context.Context, servers []*Server) error {
	host, port, err := net.SplitHostPort(servers[0].Addr)
	if err != nil {
		return err
	}
	_, bus, err := clusterPort(ctx, servers[0].Addr)
	if err != nil {
		return err
	}
	for i, s := range servers {
		lines := fmt.Sprintf("CLUSTER SET-CONFIG-EPOCH %d\r\nCLUSTER ADDSLOTSRANGE %d %d\r\nCLUSTER MEET %s %s %s",
			i+1, i*clusterSlots/len(servers), (i+1)*clusterSlots/len(servers)-1, host, port, bus)
		if err := redisSays(ctx, s.Addr, lines, "+OK", "+OK", "+OK"); err != nil {
			return err
		}
	}
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for _, s := range servers {
		for {
			info, err := redisTells(ctx, s.Addr, "CLUSTER INFO")
			if err == nil && strings.Contains(info, "cluster_state:ok") && strings.Contains(info, fmt.Sprintf("cluster_known_nodes:%d\r", len(servers))) {
				break
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("it has not formed: %w\n%s", errors.Join(ctx.Err(), err), info)
			case <-poll.C:
			}
		}
	}
	return nil
}

// clusterPort asks a server for its own line in the list of nodes: id, address@port of the cluster's bus.
func clusterPort(ctx context.Context, addr string) (id, port string, err error) {
	nodes, err := redisTells(ctx, addr, "CLUSTER NODES")
	if err != nil {
		return "", "", err
	}
	fields := strings.Fields(nodes)
	if len(fields) < 2 {
		return "", "", fmt.Errorf("no node in %q", nodes)
	}
	_, port, _ = strings.Cut(fields[1], "@")
	port, _, _ = strings.Cut(port, ",")
	return fields[0], port, nil
}

// redisTells sends a line of the inline protocol and reads the text that answers it.
func redisTells(ctx context.Context, addr, line string) (string, error) {
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	if _, err := fmt.Fprintf(conn, "%s\r\n", line); err != nil {
		return "", err
	}
	answer := bufio.NewReader(conn)
	head, err := answer.ReadString('\n')
	if err != nil {
		return "", err
	}
	size, err := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(head, "$")))
	if err != nil || size < 0 {
		return "", fmt.Errorf("redis answers %.100q to %q", head, line)
	}
	text := make([]byte, size)
	_, err = io.ReadFull(answer, text)
	return string(text), err
}
