package redis

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Config says which server to use and how. Zero fields take the defaults.
type Config struct {
	// URL is redis://, rediss:// (TLS) or unix://, as goredis.ParseURL reads it. With one or more addr=host:port in its query it is
	// of a Redis Cluster, as goredis.ParseClusterURL reads it.
	URL string
	// Prefix stands before every key and channel. Without braces. Default: none.
	Prefix string
	// TerminalTTL is how long job:<id> stays after the job has ended. Default 1 h.
	TerminalTTL time.Duration
	// LiveTTL is how long job:<id> stays after the last change of a job that has not ended. Default 7 days.
	LiveTTL time.Duration
	// DeadLetters bounds how many ids of dead letters a queue lists; the oldest leave. Default 100,000.
	DeadLetters int
	// Connections bounds the pool. Default 4 per CPU, 8 to 64.
	Connections int
}

// Bounds of a connection's waiting. A call is repeated once, so that it ends within twice their sum.
const (
	dialTimeout  = time.Second
	ioTimeout    = 2 * time.Second // one read or one write
	poolTimeout  = 2 * time.Second
	bufferBytes  = 64 << 10 // a batch of hundreds in a few system calls
	oldestServer = 7        // scripts with flags
)

// Client is a connection pool to one server, or to each of a cluster. It is safe for concurrent use.
type Client struct {
	rdb     goredis.UniversalClient
	cluster *goredis.ClusterClient // the same, if it is a cluster; else nil
	config  Config
	queues  sync.Map // queue name -> *queueKeys
	known   atomic.Int64
	inbox   *Inbox
	members *Members

	durable atomic.Bool
	ctx     context.Context // ends with Close: that of the ticks
	end     context.CancelFunc
	running sync.WaitGroup
}

// Open connects, and loads the scripts. It fails with persistence.ErrUnavailable if the server can't be reached.
func Open(ctx context.Context, config Config) (*Client, error) {
	options, err := config.complete()
	if err != nil {
		return nil, fmt.Errorf("open redis: %w", err)
	}
	c := &Client{config: config}
	if isCluster(config.URL) {
		all, err := clusterOptions(config.URL, options)
		if err != nil {
			return nil, fmt.Errorf("open redis: %w", err)
		}
		c.cluster = goredis.NewClusterClient(all)
		c.rdb = c.cluster
	} else {
		c.rdb = goredis.NewClient(options)
	}
	c.ctx, c.end = context.WithCancel(context.Background())
	c.inbox = &Inbox{c: c, nonces: make(map[claimer]string)}
	c.members = newMembers(c)
	if err := c.prepare(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open redis at %s: %w", options.Addr, err), c.Close())
	}
	return c, nil
}

func (c *Client) prepare(ctx context.Context) error {
	server, err := c.server(ctx)
	if err != nil {
		return err
	}
	if server.major < oldestServer {
		return fmt.Errorf("version %s is too old: %d.0 or later is needed", server.version, oldestServer)
	}
	if _, err := c.Check(ctx); err != nil {
		return err
	}
	return c.loadScripts(ctx)
}

// Close ends the client. Subscriptions and watches of it must have been ended by their contexts.
func (c *Client) Close() error {
	c.end()
	c.members.close()
	c.running.Wait()
	if err := c.rdb.Close(); err != nil && !errors.Is(err, goredis.ErrClosed) {
		return fmt.Errorf("close redis: %w", err)
	}
	return nil
}

// Inbox is the server as a persistence.Inbox.
func (c *Client) Inbox() *Inbox { return c.inbox }

// Members is the server as a persistence.Members: always the same one, for it hears for the nodes that beat through it.
func (c *Client) Members() *Members { return c.members }

func (config *Config) complete() (*goredis.Options, error) {
	for i := range len(config.Prefix) {
		if b := config.Prefix[i]; b == '{' || b == '}' || b <= ' ' || b > '~' {
			return nil, fmt.Errorf("prefix %.40q: want printable ASCII without braces and spaces", config.Prefix)
		}
	}
	if config.TerminalTTL <= 0 {
		config.TerminalTTL = time.Hour
	}
	if config.LiveTTL <= 0 {
		config.LiveTTL = 7 * 24 * time.Hour
	}
	if config.DeadLetters <= 0 {
		config.DeadLetters = 100_000
	}
	if config.Connections <= 0 {
		config.Connections = min(max(4*runtime.GOMAXPROCS(0), 8), 64)
	}
	parse := goredis.ParseURL
	if isCluster(config.URL) {
		parse = func(string) (*goredis.Options, error) { return new(goredis.Options), nil } // see clusterOptions
	}
	o, err := parse(config.URL)
	if err != nil {
		return nil, fmt.Errorf("read the URL: %w", err)
	}
	o.ClientName = "troupe"
	o.DisableIdentity = true
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	o.Protocol = 2 // nothing of 3 is used, and its pushes cost a look before every command
	o.ContextTimeoutEnabled = true
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = dialTimeout, ioTimeout, ioTimeout, poolTimeout
	o.DialerRetries = 1
	o.MaxRetries = 1 // everything we send may be sent twice; see the package's document
	o.PoolSize, o.MaxActiveConns = config.Connections, config.Connections
	o.ReadBufferSize, o.WriteBufferSize = bufferBytes, bufferBytes
	o.PipelineReadBufferSize, o.PipelineWriteBufferSize = bufferBytes, bufferBytes
	if o.Network != "unix" {
		o.Dialer = dialer(o.TLSConfig)
	}
	return o, nil
}
