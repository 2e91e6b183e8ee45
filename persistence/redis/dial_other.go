//go:build !linux

package redis

import "syscall"

// boundUnacknowledged does nothing here: keepalive and the deadlines of calls must do.
func boundUnacknowledged(string, string, syscall.RawConn) error { return nil }
