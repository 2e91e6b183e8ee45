//go:build race

package simulation

// underRace: with the race detector a node costs ten times as much.
const underRace = true
