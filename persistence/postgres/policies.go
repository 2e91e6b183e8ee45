package postgres

import (
	"encoding/json"
	"fmt"
	"sync"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// policyCache keeps the JSON of policies: there are about as many as kinds of jobs, and each row has one.
type policyCache struct {
	mu    sync.RWMutex
	texts map[job.Policy]string
	known map[string]job.Policy
}

// maxPolicies bounds each side of the cache: clients may send any policy with any job.
const maxPolicies = 1024

func newPolicyCache() *policyCache {
	return &policyCache{texts: map[job.Policy]string{}, known: map[string]job.Policy{}}
}

func (c *policyCache) encode(p job.Policy) (string, error) {
	c.mu.RLock()
	text, ok := c.texts[p]
	c.mu.RUnlock()
	if ok {
		return text, nil
	}
	doc, err := json.Marshal(p)
	if err != nil {
		return "", err
	}
	c.keep(p, string(doc))
	return string(doc), nil
}

func (c *policyCache) decode(doc []byte) (job.Policy, error) {
	c.mu.RLock()
	p, ok := c.known[string(doc)]
	c.mu.RUnlock()
	if ok {
		return p, nil
	}
	if err := json.Unmarshal(doc, &p); err != nil {
		return job.Policy{}, fmt.Errorf("decode a policy: %w", err)
	}
	c.keep(p, string(doc))
	return p, nil
}

func (c *policyCache) keep(p job.Policy, text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.texts) >= maxPolicies {
		clear(c.texts)
	}
	if len(c.known) >= maxPolicies {
		clear(c.known)
	}
	c.texts[p], c.known[text] = text, p
}
