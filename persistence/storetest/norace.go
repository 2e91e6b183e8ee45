//go:build !race

package storetest

// raced says that the race detector runs, which makes everything several times slower.
const raced = false
