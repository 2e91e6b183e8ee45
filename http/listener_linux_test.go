package httpapi

import (
	"net"
	"syscall"
	"testing"
)

// P11: a peer that vanished is given up once it has acknowledged nothing for 20 s, on every connection that the server takes.
func TestAVanishedPeerIsGivenUp(t *testing.T) {
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	taken, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	raw, err := taken.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(func(fd uintptr) {
		if ms, err := syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout); err != nil || ms != unackedMillisecond {
			t.Errorf("TCP_USER_TIMEOUT is %d ms, %v", ms, err)
		}
	}); err != nil {
		t.Fatal(err)
	}
}
