package postgres

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// Accept implements persistence.Store.
func (s *Store) Accept(ctx context.Context, writes []persistence.Write) ([]persistence.Acceptance, error) {
	if len(writes) == 0 {
		return nil, nil
	}
	b, err := newBatch(writes)
	if err != nil {
		return nil, fmt.Errorf("accept %d jobs: %w", len(writes), err)
	}
	all := b.rows
	err = s.do(ctx, fmt.Sprintf("accept %d jobs", len(writes)), func(ctx context.Context, c conn) error {
		b.rows = slices.Clone(all)
		clear(b.written)
		clear(b.keys.held)
		return s.write(ctx, c, b, true)
	})
	if err != nil {
		return nil, err
	}
	answers := make([]persistence.Acceptance, len(writes))
	for i := range writes {
		holder, refused := b.keys.refusal(&writes[i])
		answers[i] = persistence.Acceptance{Accepted: !refused, Holder: holder}
	}
	return answers, nil
}

// name is what an idempotency key is unique by.
type name struct{ scope, key string }

// bindings are the keys that a batch wants to bind: the first write with a key binds it, and the others are held to that.
type bindings struct {
	wanted []*persistence.Write // in the order of (scope, key), no key twice
	held   map[name]persistence.BoundKey
}

func nameOf(w *persistence.Write) name { return name{w.Key.Scope, w.Key.Key} }

func bindingsOf(writes []persistence.Write) bindings {
	b := bindings{}
	for i := range writes {
		if writes[i].Key == nil {
			continue
		}
		if b.held == nil {
			b.held = map[name]persistence.BoundKey{}
		}
		b.wanted = append(b.wanted, &writes[i])
	}
	slices.SortStableFunc(b.wanted, func(x, y *persistence.Write) int {
		return cmp.Or(cmp.Compare(x.Key.Scope, y.Key.Scope), cmp.Compare(x.Key.Key, y.Key.Key))
	})
	b.wanted = slices.CompactFunc(b.wanted, func(x, y *persistence.Write) bool { return nameOf(x) == nameOf(y) })
	return b
}

// bind binds the keys within the transaction. With refuse it learns who holds each, and takes the rows out of the batch whose
// keys another job holds.
func (k *bindings) bind(p *pipeline, b *batch, refuse bool) error {
	if len(k.wanted) == 0 {
		return nil
	}
	var a arrays
	n := len(k.wanted)
	k.names(&a)
	a.open(oidUUID, n)
	for _, w := range k.wanted {
		a.uuid(w.Job.ID)
	}
	a.open(oidText, n)
	for _, w := range k.wanted {
		a.text(w.Key.Fingerprint)
	}
	a.open(oidInt8, n)
	for _, w := range k.wanted {
		a.int8(w.Key.TTL.Microseconds())
	}
	p.begin()
	p.send(statements.bindKeys, a.params(), func([][]byte) error { return nil })
	if !refuse {
		return nil
	}
	a = arrays{}
	k.names(&a)
	p.send(statements.holders, a.params(), func(row [][]byte) error {
		bound := decodeKey(row)
		k.held[name{bound.Scope, bound.Key}] = bound
		return nil
	})
	if err := p.flush(); err != nil {
		return err
	}
	b.rows = slices.DeleteFunc(b.rows, func(w *persistence.Write) bool {
		_, refused := k.refusal(w)
		return refused
	})
	return nil
}

func (k *bindings) names(a *arrays) {
	a.open(oidText, len(k.wanted))
	for _, w := range k.wanted {
		a.text(w.Key.Scope)
	}
	a.open(oidText, len(k.wanted))
	for _, w := range k.wanted {
		a.text(w.Key.Key)
	}
}

// refusal says whether another job holds the write's key, and which.
func (k *bindings) refusal(w *persistence.Write) (persistence.BoundKey, bool) {
	if w.Key == nil {
		return persistence.BoundKey{}, false
	}
	held := k.held[nameOf(w)]
	if held.Job == w.Job.ID {
		return persistence.BoundKey{}, false
	}
	return held, true
}

// decodeKey reads scope, key, job, fingerprint, expires.
func decodeKey(row [][]byte) persistence.BoundKey {
	return persistence.BoundKey{
		Scope: string(row[0]), Key: string(row[1]), Job: job.ID(row[2]), Fingerprint: string(row[3]), Expires: timestamp(row[4]),
	}
}
