package redis

import "syscall"

// boundUnacknowledged has the kernel give a connection up whose peer acknowledges nothing for the time given, so that a write into
// a cut network fails before its caller's patience does.
func boundUnacknowledged(network, _ string, conn syscall.RawConn) error {
	const tcpUserTimeout = 0x12
	if len(network) < 3 || network[:3] != "tcp" {
		return nil
	}
	var err error
	if controlErr := conn.Control(func(fd uintptr) {
		err = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(unacknowledged.Milliseconds()))
	}); controlErr != nil {
		return controlErr
	}
	return err
}
