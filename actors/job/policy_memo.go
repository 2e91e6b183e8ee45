package job

import (
	"bytes"
	"encoding/json"
	"sync/atomic"
)

// readPolicy is a policy and a JSON object that says it.
type readPolicy struct {
	text   string
	policy Policy
}

// Bounds on the policies that are kept. A node's queues and kinds name few, and each job comes with one of them.
const (
	maxPolicies   = 16
	maxPolicyText = 256 // bytes
)

// policies are the last that were read, newest first. The list is replaced, never changed; of two that replace it at once, one
// is forgotten.
var policies atomic.Pointer[[]readPolicy]

// policyAhead reads the policy at the beginning of JSON that goes on with the given text, and says how many bytes it takes. What
// begins with a whole object, as each of the kept ones is, has that object for its first value.
func policyAhead(data []byte, then string) (p Policy, size int, ok bool) {
	known := policies.Load()
	if known != nil {
		for i := range *known {
			k := &(*known)[i]
			if len(data) >= len(k.text) && string(data[:len(k.text)]) == k.text {
				return k.policy, len(k.text), true
			}
		}
	}
	size = bytes.Index(data, []byte(then))
	if size < 2 || data[0] != '{' {
		return Policy{}, 0, false
	}
	read := &readPolicy{text: string(data[:size])}
	if err := json.Unmarshal(data[:size], &read.policy); err != nil {
		return Policy{}, 0, false
	}
	if size <= maxPolicyText {
		list := append(make([]readPolicy, 0, maxPolicies), *read)
		if known != nil {
			list = append(list, (*known)[:min(len(*known), maxPolicies-1)]...)
		}
		policies.Store(&list)
	}
	return read.policy, size, true
}
