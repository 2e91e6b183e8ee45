package redis

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// isCluster says whether a URL names a Redis Cluster: redis://host:port?addr=host2:port2&addr=..., as goredis.ParseClusterURL reads
// it. To name one node only, repeat its address.
func isCluster(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Query().Has("addr")
}

// clusterOptions are the options of one server, for each server of a cluster.
func clusterOptions(text string, o *goredis.Options) (*goredis.ClusterOptions, error) {
	c, err := goredis.ParseClusterURL(text)
	if err != nil {
		return nil, fmt.Errorf("read the URL: %w", err)
	}
	c.ClientName, c.DisableIdentity, c.Protocol = o.ClientName, o.DisableIdentity, o.Protocol
	c.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	c.ContextTimeoutEnabled = o.ContextTimeoutEnabled
	c.DialTimeout, c.ReadTimeout, c.WriteTimeout, c.PoolTimeout = o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout
	c.DialerRetries = o.DialerRetries
	c.PoolSize, c.MaxActiveConns = o.PoolSize, o.MaxActiveConns
	c.ReadBufferSize, c.WriteBufferSize = o.ReadBufferSize, o.WriteBufferSize
	c.PipelineReadBufferSize, c.PipelineWriteBufferSize = o.PipelineReadBufferSize, o.PipelineWriteBufferSize
	c.Dialer = dialer(c.TLSConfig)
	return c, nil
}

// masters calls do for the server, or for each master of the cluster, these at the same time.
func (c *Client) masters(ctx context.Context, do func(ctx context.Context, server *goredis.Client) error) error {
	if c.cluster != nil {
		return c.cluster.ForEachMaster(ctx, do)
	}
	return do(ctx, c.rdb.(*goredis.Client))
}

// partitions is how many parts a cluster's keys and channels are divided into where they have no queue. Each has a hash tag, so
// that it lies on one master.
const partitions = 64

// partitionTag is the hash tag of a partition.
func partitionTag(p int) string { return fmt.Sprintf("{p%02d}", p) }

// clusterGeneration is the generation of a cluster: of a text in each partition, and of each master that may have lost something
// without losing that.
func (c *Client) clusterGeneration(ctx context.Context) (string, error) {
	pipe := c.rdb.Pipeline()
	names := make([]*goredis.StringCmd, partitions)
	for p := range names {
		key := c.generationKey() + ":" + partitionTag(p)
		pipe.SetNX(ctx, key, rand.Text(), 0)
		names[p] = pipe.Get(ctx, key)
	}
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, goredis.Nil) {
		return "", wrap(ctx, "read the generation", err)
	}
	parts := make([]string, 0, partitions)
	for _, name := range names {
		parts = append(parts, name.Val())
	}
	var mu sync.Mutex
	var losses []string
	err := c.masters(ctx, func(ctx context.Context, server *goredis.Client) error {
		text, err := server.Info(ctx).Result()
		if err != nil {
			return err
		}
		info := parseInfo(text)
		mu.Lock()
		defer mu.Unlock()
		if info.promoted {
			losses = append(losses, info.replid)
		}
		if !c.Durable() {
			losses = append(losses, info.runID)
		}
		return nil
	})
	if err != nil {
		return "", wrap(ctx, "read the generation", err)
	}
	slices.Sort(losses)
	sum := sha256.Sum256([]byte(strings.Join(append(parts, losses...), "/")))
	return hex.EncodeToString(sum[:16]), nil
}

// pingCluster writes to every partition, so that each master says whether it can take anything.
func (c *Client) pingCluster(ctx context.Context) error {
	pipe := c.rdb.Pipeline()
	for p := range partitions {
		pipe.Set(ctx, c.config.Prefix+"ping:"+partitionTag(p), "", time.Minute)
	}
	_, err := pipe.Exec(ctx)
	return wrap(ctx, "ping", err)
}
