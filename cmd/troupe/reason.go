package main

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
)

// reason is why a server can't be reached, or used, as one short line without addresses, which the sentence around it
// names.
func reason(err error) string {
	if unknown, ok := errors.AsType[*net.DNSError](err); ok {
		return "the name " + unknown.Name + " is not known"
	}
	for _, known := range []struct {
		is  error
		say string
	}{
		{syscall.ECONNREFUSED, "connection refused"},
		{syscall.ECONNRESET, "connection reset"},
		{syscall.EADDRINUSE, "the port is in use"},
		{syscall.EADDRNOTAVAIL, "the address is not one of this machine's"},
		{syscall.EACCES, "permission denied"},
		{io.ErrUnexpectedEOF, "connection closed"},
		{io.EOF, "connection closed"},
		{os.ErrDeadlineExceeded, "no answer in time"},
		{context.DeadlineExceeded, "no answer in time"},
	} {
		if errors.Is(err, known.is) {
			return known.say
		}
	}
	return oneLine(err)
}

// oneLine is an error's text without line breaks.
func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
