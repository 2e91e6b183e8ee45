package redis

import (
	"context"
	"fmt"
	"log/slog"

	goredis "github.com/redis/go-redis/v9"
)

// quiet takes what go-redis says on its own: of connections that come and go, which our errors and gaps tell as well.
type quiet struct{}

func (quiet) Printf(ctx context.Context, format string, v ...any) {
	if slog.Default().Enabled(ctx, slog.LevelDebug) {
		slog.DebugContext(ctx, fmt.Sprintf(format, v...), "from", "go-redis")
	}
}

func init() { goredis.SetLogger(quiet{}) } // it knows one logger for the whole process, to be set before the first client
