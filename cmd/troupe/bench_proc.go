package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ticks is how /proc counts: 100 to a second on every Linux that Go runs on.
const ticks = 100

// stat is a process as /proc has it; times in seconds.
type stat struct {
	name, parent string
	used         float64
	ended        float64 // by children that have ended
}

func readStat(pid string) (stat, bool) {
	if pid == "" {
		return stat{}, false
	}
	data, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
	if err != nil {
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
