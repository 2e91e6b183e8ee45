package postgres

import "syscall"

// boundUnacknowledged has the kernel give a connection up whose peer acknowledges nothing for 15 s, so that a write into
// a cut network fails before its caller's patience does.
func boundUnacknowledged(network, _ string, conn syscall.RawConn) error {
	const tcpUserTimeout, milliseconds = 0x12, 15_000
	if len(network) < 3 || network[:3] != "tcp" {
		return nil
	}
	var err error
	if controlErr := conn.Control(func(fd uintptr) {
		err = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, milliseconds)
	}); controlErr != nil {
		return controlErr
	}
	return err
}
