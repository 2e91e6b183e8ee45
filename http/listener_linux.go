package httpapi

import (
	"fmt"
	"syscall"
)

const (
	tcpUserTimeout     = 18 // TCP_USER_TIMEOUT of linux/tcp.h, which package syscall has not on every architecture
	unackedMillisecond = 20_000
)

// setUserTimeout has the kernel give a connection up whose peer acknowledges nothing for 20 s. Accepted connections inherit it.
// Without it a heartbeat to a peer that vanished would be "sent" into the socket's buffer for a quarter of an hour.
func setUserTimeout(_, _ string, raw syscall.RawConn) error {
	var failed error
	if err := raw.Control(func(fd uintptr) {
		failed = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, unackedMillisecond)
	}); err != nil {
		return fmt.Errorf("reach the socket: %w", err)
	}
	if failed != nil {
		return fmt.Errorf("set TCP_USER_TIMEOUT: %w", failed)
	}
	return nil
}
