package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"
)

// usage is processor time in seconds.
type usage struct{ client, redis, postgres float64 }

func (u usage) since(before usage) usage {
	return usage{u.client - before.client, u.redis - before.redis, u.postgres - before.postgres}
}

// meter reads what this process and the two servers under test have used, and nobody else: other servers on the machine do not count.
type meter struct{ redis, postmaster string } // process ids; empty if unknown

func newMeter(ctx context.Context, rdb *redis.Client, pool *pgxpool.Pool) (meter, error) {
	info, err := rdb.Info(ctx, "server").Result()
	if err != nil {
		return meter{}, fmt.Errorf("ask redis for its process: %w", err)
	}
	var m meter
	for line := range strings.SplitSeq(info, "\r\n") {
		if pid, ok := strings.CutPrefix(line, "process_id:"); ok {
			m.redis = pid
		}
	}
	var backend int
	if err := pool.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&backend); err != nil {
		return meter{}, fmt.Errorf("ask postgres for its process: %w", err)
	}
	if own, ok := readStat(strconv.Itoa(backend)); ok {
		m.postmaster = own.parent
	}
	return m, nil
}

// read reads everything. A backend that has ended is counted by its parent.
func (m meter) read() usage {
	var u usage
	var self syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &self) == nil {
		u.client = seconds(self.Utime) + seconds(self.Stime)
	}
	if s, ok := readStat(m.redis); ok && strings.HasPrefix(s.name, "redis") {
		u.redis = s.used
	}
	folders, _ := filepath.Glob("/proc/[0-9]*")
	for _, folder := range folders {
		s, ok := readStat(filepath.Base(folder))
		switch {
		case !ok || m.postmaster == "":
		case s.parent == m.postmaster:
			u.postgres += s.used
		case filepath.Base(folder) == m.postmaster:
			u.postgres += s.used + s.ended
		}
	}
	return u
}

func seconds(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }

// stat is a process as /proc has it; times in seconds.
type stat struct {
	name, parent string
	used         float64
	ended        float64 // by children that have ended
}

// ticks is how /proc counts: 100 to a second on every Linux that Go runs on.
const ticks = 100

func readStat(pid string) (stat, bool) {
	data, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
	if pid == "" || err != nil {
		return stat{}, false
	}
	line := string(data)
	open, end := strings.IndexByte(line, '('), strings.LastIndexByte(line, ')')
	if open < 0 || end < open {
		return stat{}, false
	}
	f := strings.Fields(line[end+1:])
	if len(f) < 15 {
		return stat{}, false
	}
	number := func(i int) float64 { v, _ := strconv.ParseFloat(f[i], 64); return v / ticks }
	return stat{name: line[open+1 : end], parent: f[1], used: number(11) + number(12), ended: number(13) + number(14)}, true
}

func loadAverage() string {
	data, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Fields(string(data))[0]
}
