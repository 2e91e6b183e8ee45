package redis

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/meta-ad-studio/troupe/persistence"
)

// Beat implements persistence.Members. The node's first beat opens its presence, of whose end nobody can tell before a later beat.
func (m *Members) Beat(ctx context.Context, member persistence.Member, silence time.Duration) (persistence.Roll, error) {
	if err := persistence.CheckMember(&member, silence); err != nil {
		return persistence.Roll{}, err
	}
	member.Seen = time.Time{}
	text, err := json.Marshal(&member)
	if err != nil {
		return persistence.Roll{}, fmt.Errorf("redis: beat: %w: %w", persistence.ErrInvalid, err)
	}
	here, nonce := m.present(member.Name)
	anew, answered := here.anew()
	l := m.keys.on(beatScript)
	l.text(member.Name)
	l.number(silence.Microseconds())
	l.number(member.Incarnation)
	l.text(member.Address)
	l.args = append(l.args, text)
	l.text(nonce)
	l.text(m.keys.presence)
	l.text(m.numsub())
	l.text(anew)
	l.number(persistence.MaxMembers)
	reply, err := run(ctx, m.c, l, "beat", goredis.NewSliceCmd)
	if err != nil {
		return persistence.Roll{}, err
	}
	answered()
	m.answered(member.Name, nonce)
	said := reply.Val()
	if len(said) == 0 {
		m.absent(member.Name)
		return persistence.Roll{}, fmt.Errorf("redis: beat: %w: there are %d members", persistence.ErrFull, persistence.MaxMembers)
	}
	epoch, ok := said[0].(int64)
	if !ok || len(said) != 4 {
		return persistence.Roll{}, fmt.Errorf("redis: beat: the server answers %v", said)
	}
	by, _ := said[3].(string)
	return persistence.Roll{Epoch: epoch, Returned: said[1] == int64(1), Fallen: said[2] == int64(1), DrainBy: by}, nil
}

func (m *Members) numsub() string {
	if m.c.cluster != nil {
		return "SHARDNUMSUB"
	}
	return "NUMSUB"
}

// nonce is that of the node's last beat if its answer was missed, else a new one: so a return from the dead is told though the answer
// that told it was lost. Call it under the lock.
func (m *Members) nonce(name string) string {
	if n, ok := m.nonces[name]; ok {
		return n
	}
	n := rand.Text()
	if len(m.nonces) < persistence.MaxMembers {
		m.nonces[name] = n
	}
	return n
}

func (m *Members) answered(name, nonce string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.nonces[name] == nonce {
		delete(m.nonces, name)
	}
}
