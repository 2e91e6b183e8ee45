//go:build !linux

package httpapi

import "syscall"

// setUserTimeout: keep-alive alone finds dead peers here.
func setUserTimeout(_, _ string, _ syscall.RawConn) error { return nil }
