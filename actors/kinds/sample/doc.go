// Package sample has kinds for trying a system and for breaking it on purpose: work that ends at once, takes its time, fails,
// panics, kills its node or never listens. They belong on development nodes only: sample.exit does what it says.
package sample
