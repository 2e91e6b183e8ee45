//go:build unix

package testenv

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

// Ports are taken from below those that the kernel gives to outgoing connections: a client that redials a stopped server
// on one of those may connect to itself and so take the port away.
const (
	firstPort = 10_000
	lastPort  = 32_000
	portTries = 200
)

// freePort finds a loopback port that nobody listens on. Somebody may be faster to take it: be ready to ask again.
func freePort() (int, error) {
	for range portTries {
		port := firstPort + rand.IntN(lastPort-firstPort)
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		return port, l.Close()
	}
	return 0, errors.New("no free port found")
}

// Port finds a loopback port for a server that the test starts itself, and starts again at the same one.
func Port(t testing.TB) int {
	t.Helper()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// startTries is how many ports are tried for a server.
const startTries = 5

// startOnFreePort starts the server that build makes for a port.
func startOnFreePort(build func(port int) *Server) (*Server, error) {
	var last error
	for range startTries {
		port, err := freePort()
		if err != nil {
			return nil, err
		}
		s := build(port)
		if last = s.start(); last == nil {
			return s, nil
		}
	}
	return nil, last
}
