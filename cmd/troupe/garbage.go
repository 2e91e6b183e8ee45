package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// Bounds of the garbage that a node lets gather before it looks for it, in percent of what lives.
const (
	leastGarbage = 100
	mostGarbage  = 400
	garbageRoom  = 160 << 20 // bytes, between the two
)

// tuneGarbageCollector trades memory for time, unless GOGC says otherwise: as a rule what lives here is small beside what passes
// through, and at the default a fifth of the processor time of a busy node goes into looking for garbage. When much lives, as with
// thousands of streams, that would be waste: garbage is then let gather up to garbageRoom, or as much as lives.
func tuneGarbageCollector() {
	if os.Getenv("GOGC") != "" {
		return
	}
	debug.SetGCPercent(mostGarbage)
	afterNextCollection(mostGarbage)
}

// afterNextCollection looks at what lives after each collection: an object that nothing refers to is cleaned up by the next. It is too
// large to share its block with others.
func afterNextCollection(percent int) {
	runtime.AddCleanup(new([64]byte), func(percent int) {
		live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(live)
		if now := garbagePercent(live[0].Value.Uint64()); now != percent {
			debug.SetGCPercent(now)
			percent = now
		}
		afterNextCollection(percent)
	}, percent)
}

// garbagePercent is rounded to 25, so that it changes seldom.
func garbagePercent(live uint64) int {
	percent := 100 * garbageRoom / max(live, 1)
	return int(min(max(percent, leastGarbage), mostGarbage)) / 25 * 25
}
