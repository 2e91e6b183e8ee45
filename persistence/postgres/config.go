package postgres

import (
	"fmt"
	"maps"
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Config says how to reach the server. Zero fields take the defaults.
type Config struct {
	// URL is a connection string: postgres://user:password@host:port/database?sslmode=verify-full. Several hosts may be
	// given, separated by commas; the one that takes writes is used. search_path selects a schema.
	URL string
	// ListenURL is used for LISTEN and for migrations, which need sessions; empty is URL.
	ListenURL string
	// Pooler says that URL leads to a pooler in transaction mode.
	Pooler bool
	// MaxConns bounds the connections of this process, besides the one that listens; default 8.
	MaxConns int
	// Timeout bounds each call, attempts included; default 10 s. A shorter deadline of the caller's context holds.
	Timeout time.Duration
	// Name is shown in pg_stat_activity; default "troupe".
	Name string
}

// Defaults of Config.
const (
	DefaultMaxConns = 8
	DefaultTimeout  = 10 * time.Second
	DefaultName     = "troupe"
)

// Session is what each session is set to. Behind a pooler it must be set on the role instead.
var session = map[string]string{
	// A statement that does not end holds its locks; a node that stopped in mid-transaction, too.
	"statement_timeout":                   "5s",
	"lock_timeout":                        "2s",
	"idle_in_transaction_session_timeout": "3s",
	// See the package's document. Compiling queries costs more than any of ours runs, and is provoked by the first two.
	"enable_seqscan":  "off",
	"enable_hashjoin": "off",
	"jit":             "off",
	"timezone":        "UTC",
}

// Session is the parameters that every session of the store needs.
func Session() map[string]string { return maps.Clone(session) }

const connectTimeout = 5 * time.Second

func (c Config) withDefaults() Config {
	if c.ListenURL == "" {
		c.ListenURL = c.URL
	}
	if c.MaxConns <= 0 {
		c.MaxConns = DefaultMaxConns
	}
	if c.Timeout <= 0 {
		c.Timeout = DefaultTimeout
	}
	if c.Name == "" {
		c.Name = DefaultName
	}
	return c
}

// pool is the configuration of the connections that read and write.
func (c Config) pool() (*pgxpool.Config, error) {
	p, err := pgxpool.ParseConfig(c.URL)
	if err != nil {
		return nil, fmt.Errorf("read the database URL: %w", err)
	}
	p.MaxConns = int32(c.MaxConns)
	p.MaxConnLifetimeJitter = 10 * time.Minute
	p.HealthCheckPeriod = 15 * time.Second
	c.tune(&p.ConnConfig.Config)
	if !c.Pooler {
		for name, value := range session {
			if _, given := p.ConnConfig.RuntimeParams[name]; !given {
				p.ConnConfig.RuntimeParams[name] = value
			}
		}
	}
	return p, nil
}

// tune sets what concerns the connection itself.
func (c Config) tune(p *pgconn.Config) {
	if p.ConnectTimeout <= 0 || p.ConnectTimeout > connectTimeout {
		p.ConnectTimeout = connectTimeout
	}
	if p.ValidateConnect == nil { // a standby takes no writes: try the next host
		p.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	if p.RuntimeParams["application_name"] == "" {
		p.RuntimeParams["application_name"] = c.Name
	}
	dialer := &net.Dialer{
		// A peer that vanished is noticed within half a minute, also by a connection that only listens.
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 10 * time.Second, Interval: 5 * time.Second, Count: 3},
		Control:         boundUnacknowledged,
	}
	p.DialFunc = dialer.DialContext
}
