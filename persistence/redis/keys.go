package redis

import (
	"fmt"
	"strconv"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// maxQueues bounds how many queues' key names are kept ready; those of further queues are built for each call.
const maxQueues = 10_000

// queueKeys are the names of one queue's keys.
type queueKeys struct {
	name                                               string
	jobs, meta, leases, delayed, cancels, dead, ghosts string
	parked, cut                                        string
	claim                                              string // and the node's name
	idem                                               string // and the key
	inbox                                              [job.MaxPriority + 1]string
}

func (c *Client) keys(queue string) (*queueKeys, error) {
	if k, ok := c.queues.Load(queue); ok {
		return k.(*queueKeys), nil
	}
	if !job.ValidName(queue) {
		return nil, fmt.Errorf("%w: queue name %.80q", persistence.ErrInvalid, queue)
	}
	name := func(kind string) string { return c.config.Prefix + kind + ":{" + queue + "}" }
	k := &queueKeys{
		name: queue, jobs: name("jobs"), meta: name("meta"), leases: name("leases"), delayed: name("delayed"),
		cancels: name("cancels"), dead: name("dead"), ghosts: name("ghosts"),
		parked: name("parked"), cut: name("cut"), claim: name("claim") + ":", idem: name("idem") + ":",
	}
	for p := range k.inbox {
		k.inbox[p] = name("inbox") + ":" + strconv.Itoa(p)
	}
	if c.known.Load() < maxQueues {
		if _, loaded := c.queues.LoadOrStore(queue, k); !loaded {
			c.known.Add(1)
		}
	}
	return k, nil
}

// bound is the name of an idempotency key. The scope's length keeps ("a:b", "c") and ("a", "b:c") apart.
func (k *queueKeys) bound(key *persistence.Key) string {
	return k.idem + strconv.Itoa(len(key.Scope)) + ":" + key.Scope + ":" + key.Key
}

func (c *Client) jobPrefix() string     { return c.config.Prefix + "job:" }
func (c *Client) eventsChannel() string { return c.config.Prefix + "events" }
func (c *Client) wakeChannel() string   { return c.config.Prefix + "wake" }
func (c *Client) generationKey() string { return c.config.Prefix + "generation" }
