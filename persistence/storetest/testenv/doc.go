//go:build unix

// Package testenv starts real servers for tests: Redis and Postgres as children of the test process, on loopback ports of
// their own, with their data in a temporary folder.
//
// Redis and Postgres give a test a database of its own on a server that all tests of the process share; it starts when the
// first one asks. StartRedis and StartPostgres give a server of one's own, which the test may stop, kill, suspend and start
// again on the same port and data.
//
// Nothing outlives the process: Main stops the shared servers, a test's end stops its own ones, and the kernel ends all
// of them if the process is killed. What a killed process left on disk is swept by the next one. A server that can't be
// started fails the test and names the package to install; it never skips one.
//
// Servers hold a goroutine each for as long as they run: do not start one inside a synctest bubble.
package testenv
