package sqlite

import (
	"slices"
	"strings"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// keyTable is the statements of one table of idempotency keys: the inbox and the store have one each, as each must bind keys also
// when it is used without the other. The inbox binds them for each queue apart, as an inbox does whose queues live on different servers.
type keyTable struct{ find, bind, expire *query }

// expiredPerBind is how many keys that bind no longer are removed with each new one: more than one, so that they don't pile up.
const expiredPerBind = 2

var (
	inboxKeys = newKeyTable("inbox_keys", "queue, scope, key", "(?, ?, ?)")
	storeKeys = newKeyTable("idempotency_keys", "scope, key", "(?, ?)")
)

func newKeyTable(table, name, values string) keyTable {
	return keyTable{
		find: inline("find key", "SELECT job, fingerprint, expires_at FROM "+table+" WHERE ("+name+") = "+values+" AND expires_at > ?"),
		bind: inline("bind key", "INSERT OR REPLACE INTO "+table+" ("+name+", job, fingerprint, expires_at) VALUES "+strings.TrimSuffix(values, ")")+", ?, ?, ?)"),
		expire: inline("expire keys", "DELETE FROM "+table+" WHERE ("+name+") IN (SELECT "+name+" FROM "+table+
			" WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)"),
	}
}

// keyring is a table of keys, or a queue's part of it.
type keyring struct {
	keyTable
	part []any // values that name the part
}

func (q *queue) keys() keyring { return keyring{inboxKeys, []any{q.n}} }

var storeRing = keyring{storeKeys, nil}

func (r keyring) name(k *persistence.Key) []any { return append(slices.Clip(r.part), k.Scope, k.Key) }

// boundKey finds which job has the key now; nil if none.
func (c *change) boundKey(ring keyring, k *persistence.Key) (bound *persistence.BoundKey, err error) {
	err = c.read(ring.find, append(ring.name(k), c.now.UnixMicro()), func(r row) error {
		bound = &persistence.BoundKey{Scope: k.Scope, Key: k.Key, Job: r.id(0), Fingerprint: r.text(1), Expires: r.time(2)}
		return nil
	})
	return bound, err
}

// bindKey gives the job a key that no other has.
func (c *change) bindKey(ring keyring, k *persistence.Key, id job.ID) error {
	if _, err := c.exec(ring.expire, c.now.UnixMicro(), expiredPerBind); err != nil {
		return err
	}
	expires := c.now.Add(k.TTL).Truncate(time.Microsecond)
	_, err := c.exec(ring.bind, append(ring.name(k), id[:], k.Fingerprint, expires.UnixMicro())...)
	return err
}
