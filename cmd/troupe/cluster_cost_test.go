//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// clusterCost is the processor time that everybody has used, and the jobs that were accepted meanwhile.
type clusterCost struct {
	cpu
	jobs int
}

// cost reads what was used so far. It is zero where there is no /proc.
func (c *cluster) cost() clusterCost {
	var sum clusterCost
	for _, n := range c.nodes {
		s, _ := readStat(strconv.Itoa(n.cmd.Process.Pid))
		sum.self += s.used
	}
	text, _ := os.ReadFile(filepath.Join(c.database.Dir, "data", "postmaster.pid"))
	postmaster, _, _ := strings.Cut(string(text), "\n")
	servers := meter{redis: c.redisProcess(), postmaster: postmaster}.read()
	sum.redis, sum.postgres = servers.redis, servers.postgres
	sum.jobs = len(c.orders.all())
	return sum
}

// redisProcess finds the process that serves the cluster's Redis: the one that works in its folder.
func (c *cluster) redisProcess() string {
	for _, pid := range processes() {
		if dir, err := os.Readlink(filepath.Join("/proc", pid, "cwd")); err == nil && dir == c.redis.Dir {
			return pid
		}
	}
	return ""
}

// since tells what each job has cost.
func (s clusterCost) since(before clusterCost) string {
	used, jobs := s.cpu.since(before.cpu), float64(max(1, s.jobs-before.jobs))
	return fmt.Sprintf("CPU us/job nodes=%.0f redis=%.0f postgres=%.0f over %.0f jobs", used.self/jobs*1e6, used.redis/jobs*1e6, used.postgres/jobs*1e6, jobs)
}
