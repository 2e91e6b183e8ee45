// Package simulation runs whole clusters of real nodes in one process and in virtual time, breaks what they stand on, and holds them to their
// promises. It has tests only.
//
// Every node is an actors.App with all its actors. It reaches the servers, which are those of package reference, over links that can
// be cut, stalled, slowed, or made to lose answers. A nemesis does so by a schedule, and kills, pauses, drains and restarts nodes; clients
// submit, cancel, retry and watch; handlers succeed, fail, panic, snooze, ignore their cancellation or kill their node.
//
// A ledger is written by the clients, the handlers and the servers' sides of the links, and never by the nodes. When the cluster has come to rest
// the ledger is compared with the rows, their histories and the inbox. Mutants, servers with one mistake each, show that it finds mistakes.
//
// The schedule of the load and of the nemesis is made from a seed, which every run prints. Goroutines that are ready at one moment of virtual time run
// in an order of their own, so a seed repeats the storm and not each wave: run it a few times.
//
//	go test ./actors/simulation -run TestSimulationLong -sim.seed 7 -sim.nodes 200 -sim.minutes 10 -sim.jobs 20000
package simulation
