package sqlite

import (
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// keyTable is the statements of one table of idempotency keys: the inbox and the store have one each, as each must bind keys also
// when it is used without the other.
type keyTable struct{ find, bind, expire *query }

var (
	inboxKeys = newKeyTable("inbox_keys")
	storeKeys = newKeyTable("idempotency_keys")
)

// expiredPerBind is how many keys that bind no longer are removed with each new one: more than one, so that they don't pile up.
const expiredPerBind = 2

func newKeyTable(table string) keyTable {
	return keyTable{
		find: inline("find key", "SELECT job, fingerprint, expires_at FROM "+table+" WHERE scope = ?1 AND key = ?2 AND expires_at > ?3"),
		bind: inline("bind key", "INSERT OR REPLACE INTO "+table+" (scope, key, job, fingerprint, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)"),
		expire: inline("expire keys", "DELETE FROM "+table+" WHERE (scope, key) IN (SELECT scope, key FROM "+table+
			" WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)"),
	}
}

// boundKey finds which job has the key now; nil if none.
func (c *change) boundKey(t keyTable, k *persistence.Key) (bound *persistence.BoundKey, err error) {
	err = c.read(t.find, []any{k.Scope, k.Key, c.now.UnixMicro()}, func(r row) error {
		bound = &persistence.BoundKey{Scope: k.Scope, Key: k.Key, Job: r.id(0), Fingerprint: r.text(1), Expires: r.time(2)}
		return nil
	})
	return bound, err
}

// bindKey gives the job a key that no other has.
func (c *change) bindKey(t keyTable, k *persistence.Key, id job.ID) error {
	if _, err := c.exec(t.expire, c.now.UnixMicro(), expiredPerBind); err != nil {
		return err
	}
	expires := c.now.Add(k.TTL).Truncate(time.Microsecond)
	_, err := c.exec(t.bind, k.Scope, k.Key, id[:], k.Fingerprint, expires.UnixMicro())
	return err
}
