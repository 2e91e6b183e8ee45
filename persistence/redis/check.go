package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	goredis "github.com/redis/go-redis/v9"
)

// Warning is a setting of the server that makes it less than what the promises of Troupe need.
type Warning struct {
	// Setting is its name: appendonly, appendfsync, no-appendfsync-on-rewrite, maxmemory-policy, version, config.
	Setting string
	// Value is what it is.
	Value string
	// Wanted is what it should be.
	Wanted string
	// Means says what may happen.
	Means string
}

// String is the warning in a line.
func (w Warning) String() string {
	return fmt.Sprintf("%s is %q, should be %q: %s", w.Setting, w.Value, w.Wanted, w.Means)
}

// wanted are the settings that are compared, and those without which an accepted job may be lost.
var wanted = []struct {
	setting, value, means string
	durable               bool
}{
	{"appendonly", "yes", "a restart of the server loses accepted jobs", true},
	{"appendfsync", "always", "a crash or power loss loses the jobs accepted in the last second or more", true},
	{"no-appendfsync-on-rewrite", "no", "a crash while the log is rewritten loses accepted jobs", true},
	{"maxmemory-policy", "noeviction", "a full server throws jobs and leases away", true},
}

// Check reads the server's settings and says which endanger the promises: none if it is empty.
func (c *Client) Check(ctx context.Context) ([]Warning, error) {
	server, err := c.server(ctx)
	if err != nil {
		return nil, err
	}
	var warnings []Warning
	if server.major == 7 && server.minor == 4 && server.patch < 3 {
		warnings = append(warnings, Warning{"version", server.version, "7.4.3 or later", "known faults of 7.4.0 to 7.4.2 in replication and WAITAOF"})
	}
	var mu sync.Mutex
	var failed error
	durable := true
	err = c.masters(ctx, func(ctx context.Context, server *goredis.Client) error {
		found, safe, err := compare(ctx, server)
		mu.Lock()
		defer mu.Unlock()
		durable = durable && safe
		failed = errors.Join(failed, err)
		for _, w := range found { // masters are set alike, as a rule
			if !slices.Contains(warnings, w) {
				warnings = append(warnings, w)
			}
		}
		return nil
	})
	if err = errors.Join(failed, err); err != nil {
		if err = wrap(ctx, "read the server's settings", err); kindOf(err) != nil || ctx.Err() != nil {
			return nil, err
		}
		durable = false
		warnings = append(warnings, Warning{"config", "not readable", "readable", "how durable the server is can't be told: " + err.Error()})
	}
	c.durable.Store(durable)
	return warnings, nil
}

// compare reads one server's settings.
func compare(ctx context.Context, server *goredis.Client) (warnings []Warning, durable bool, err error) {
	durable = true
	for _, w := range wanted {
		values, err := server.ConfigGet(ctx, w.setting).Result()
		if err != nil {
			return warnings, false, err
		}
		if value := values[w.setting]; value != w.value {
			warnings = append(warnings, Warning{w.setting, value, w.value, w.means})
			durable = durable && !w.durable
		}
	}
	return warnings, durable, nil
}

// Durable says whether, by the last Check (Open makes one), an accepted job is on disk before it is acknowledged, and
// stays there.
func (c *Client) Durable() bool { return c.durable.Load() }

// serverInfo is what INFO says of the server.
type serverInfo struct {
	version             string
	major, minor, patch int
	runID, replid       string
	promoted            bool // was a replica before
	pid                 int
}

func (c *Client) server(ctx context.Context) (serverInfo, error) {
	text, err := c.rdb.Info(ctx).Result()
	if err != nil {
		return serverInfo{}, wrap(ctx, "ask the server what it is", err)
	}
	return parseInfo(text), nil
}

// Process is the server's process id, on the server's machine: what measuring its use of the processor needs.
func (c *Client) Process(ctx context.Context) (pid int, err error) {
	server, err := c.server(ctx)
	return server.pid, err
}

func parseInfo(text string) serverInfo {
	var s serverInfo
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch name {
		case "redis_version":
			s.version = value
			for i, part := range strings.SplitN(value, ".", 3) {
				n, _ := strconv.Atoi(part)
				*[]*int{&s.major, &s.minor, &s.patch}[i] = n
			}
		case "process_id":
			s.pid, _ = strconv.Atoi(value)
		case "run_id":
			s.runID = value
		case "master_replid":
			s.replid = value
		case "second_repl_offset":
			s.promoted = value != "-1"
		}
	}
	return s
}
