//go:build race

package fencemodel

// underRace walks smaller bounds: the detector slows a walk tenfold, and there is nothing for it to detect in one goroutine.
const underRace = true
