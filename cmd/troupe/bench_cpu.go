package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// cpu is processor time in seconds.
type cpu struct{ self, redis, postgres, others float64 }

func (c cpu) since(before cpu) cpu {
	return cpu{c.self - before.self, c.redis - before.redis, c.postgres - before.postgres, c.others - before.others}
}

// ticks is how /proc counts: 100 to a second on every Linux that Go runs on.
const ticks = 100

// readCPU reads what this process, all Redis servers, all Postgres servers and everybody else on this machine have used, from /proc. Where
// there is no /proc only this process is read.
func readCPU() cpu {
	var c cpu
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) == nil {
		c.self = seconds(usage.Utime) + seconds(usage.Stime)
	}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		data, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		name, used := parseStat(string(data))
		switch {
		case strings.HasPrefix(name, "redis"):
			c.redis += used
		case strings.HasPrefix(name, "postgres"):
			c.postgres += used
		case filepath.Base(filepath.Dir(path)) != strconv.Itoa(os.Getpid()):
			c.others += used
		}
	}
	return c
}

func seconds(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }

func parseStat(line string) (name string, used float64) {
	open, end := strings.IndexByte(line, '('), strings.LastIndexByte(line, ')')
	if open < 0 || end < open {
		return "", 0
	}
	fields := strings.Fields(line[end+1:])
	if len(fields) < 13 {
		return "", 0
	}
	user, _ := strconv.ParseFloat(fields[11], 64)
	system, _ := strconv.ParseFloat(fields[12], 64)
	return line[open+1 : end], (user + system) / ticks
}

// peakMemory is the most that this process ever had in memory, in megabytes.
func peakMemory() float64 {
	data, _ := os.ReadFile("/proc/self/status")
	for line := range strings.SplitSeq(string(data), "\n") {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1024
		}
	}
	return 0
}

func loadAverage() string {
	data, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Fields(string(data))[0]
}
