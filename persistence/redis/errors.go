package redis

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	goredis "github.com/redis/go-redis/v9"

	"github.com/meta-ad-studio/troupe/persistence"
)

// unavailable are the first words of a server's answer that say "not now".
var unavailable = []string{
	"LOADING ", "MISCONF ", "READONLY ", "CLUSTERDOWN ", "MASTERDOWN ", "TRYAGAIN ", "NOREPLICAS ", "BUSY ", "MOVED ", "ASK ",
	"ERR max number of clients reached",
}

// wrap says what was being tried, and maps the error to the contract's. The cause stays visible to errors.Is, also the
// context's own error, which the client reports as a timeout of the connection.
func wrap(ctx context.Context, trying string, err error) error {
	if err == nil {
		return nil
	}
	if ended := ctx.Err(); ended != nil && !errors.Is(err, ended) {
		err = fmt.Errorf("%w: %w", ended, err)
	}
	if kind := kindOf(err); kind != nil && !errors.Is(err, kind) {
		return fmt.Errorf("redis: %s: %w: %w", trying, kind, err)
	}
	return fmt.Errorf("redis: %s: %w", trying, err)
}

func kindOf(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil // the caller's wish, not the server's state
	}
	if said, ok := errors.AsType[goredis.Error](err); ok && !errors.Is(err, goredis.Nil) {
		text := said.Error()
		if strings.HasPrefix(text, "OOM ") {
			return persistence.ErrFull
		}
		for _, prefix := range unavailable {
			if strings.HasPrefix(text, prefix) {
				return persistence.ErrUnavailable
			}
		}
		return nil
	}
	if _, ok := errors.AsType[net.Error](err); ok || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, goredis.ErrClosed) ||
		errors.Is(err, goredis.ErrPoolTimeout) || errors.Is(err, goredis.ErrPoolExhausted) {
		return persistence.ErrUnavailable
	}
	return nil
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("redis: %w: %s", persistence.ErrInvalid, fmt.Sprintf(format, args...))
}
