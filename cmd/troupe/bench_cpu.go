package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
)

// cpu is processor time in seconds.
type cpu struct{ self, redis, postgres float64 }

func (c cpu) since(before cpu) cpu {
	return cpu{c.self - before.self, c.redis - before.redis, c.postgres - before.postgres}
}

// meter reads from /proc what this process and the servers it measures have used; other servers of the machine do not
// count. Where there is no /proc, or a server is elsewhere, that server's process is unknown.
type meter struct{ redis, postmaster string } // process ids; empty if unknown

func newMeter(redisProcess int) meter {
	m := meter{postmaster: postmasterOf(ownPorts())}
	if s, ok := readStat(strconv.Itoa(redisProcess)); ok && strings.HasPrefix(s.name, "redis") {
		m.redis = strconv.Itoa(redisProcess)
	}
	return m
}

// read reads everything. A backend of Postgres that has ended is counted by its parent.
func (m meter) read() cpu {
	var c cpu
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) == nil {
		c.self = seconds(usage.Utime) + seconds(usage.Stime)
	}
	if s, ok := readStat(m.redis); ok {
		c.redis = s.used
	}
	if m.postmaster == "" {
		return c
	}
	for _, pid := range processes() {
		switch s, ok := readStat(pid); {
		case !ok:
		case pid == m.postmaster:
			c.postgres += s.used + s.ended
		case s.parent == m.postmaster:
			c.postgres += s.used
		}
	}
	return c
}

func processes() (pids []string) {
	folders, _ := filepath.Glob("/proc/[0-9]*")
	for _, folder := range folders {
		pids = append(pids, filepath.Base(folder))
	}
	return pids
}

// peer is where the title of a Postgres backend says the port that it was called from: "postgres: user database host(port) idle".
var peer = regexp.MustCompile(`^postgres: .*\((\d+)\)`)

// postmasterOf is the parent of a Postgres backend that was called from one of the ports.
func postmasterOf(ports map[uint64]bool) string {
	for _, pid := range processes() {
		title, err := os.ReadFile(filepath.Join("/proc", pid, "cmdline"))
		if err != nil {
			continue
		}
		if found := peer.FindSubmatch(title); found != nil {
			port, _ := strconv.ParseUint(string(found[1]), 10, 16)
			if s, ok := readStat(pid); ok && ports[port] {
				return s.parent
			}
		}
	}
	return ""
}

// ownPorts are the ports of this process's TCP connections.
func ownPorts() map[uint64]bool {
	sockets := map[string]bool{}
	files, _ := filepath.Glob("/proc/self/fd/*")
	for _, file := range files {
		name, _ := os.Readlink(file)
		if inode, ok := strings.CutPrefix(name, "socket:["); ok {
			sockets[strings.TrimSuffix(inode, "]")] = true
		}
	}
	ports := map[uint64]bool{}
	for _, table := range []string{"/proc/self/net/tcp", "/proc/self/net/tcp6"} {
		data, _ := os.ReadFile(table)
		for line := range strings.Lines(string(data)) {
			f := strings.Fields(line) // number, local address, remote address, ..., inode
			if len(f) < 10 || !sockets[f[9]] {
				continue
			}
			if port, err := strconv.ParseUint(f[1][strings.LastIndexByte(f[1], ':')+1:], 16, 16); err == nil {
				ports[port] = true
			}
		}
	}
	return ports
}

func seconds(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
