package redis

import (
	"context"
	"encoding/json"
	"time"

	"github.com/meta-ad-studio/troupe/persistence"
)

// Subscribe implements persistence.Bus. A gap is a delivery of its own, before what follows it.
func (b *Bus) Subscribe(ctx context.Context, ready func(), receive func(persistence.Delivery)) error {
	b.live()
	from := sources{heard: make(map[string]*source)}
	return b.c.listen(ctx, b.c.eventsChannel(), listener{
		confirmed: func(again bool) {
			b.ears.Add(1)
			if again {
				clear(from.heard)
				receive(persistence.Delivery{Gap: true})
			} else {
				ready()
			}
		},
		message: func(payload string) { deliver(b.boot, &from, payload, receive) },
		lost:    func() { b.ears.Add(-1) },
		tick: func(now time.Time) {
			for _, node := range from.silent(now) {
				receive(persistence.Delivery{Node: node, Gap: true})
			}
		},
	})
}

// deliver hands on what a message brings, and word of a gap before it.
func deliver(self string, from *sources, payload string, receive func(persistence.Delivery)) {
	f, err := parseFrame([]byte(payload))
	if err != nil || f.boot == self {
		return // a stranger's word, or our own
	}
	fresh, gap := from.hear(&f, time.Now())
	if gap {
		receive(persistence.Delivery{Node: f.node, Gap: true})
	}
	if !fresh {
		return
	}
	d := persistence.Delivery{Node: f.node, States: f.parts, Sent: time.UnixMicro(f.sent)}
	if f.kind == signalFrame {
		d.States, d.Signal = nil, new(persistence.Signal)
		if len(f.parts) != 1 || json.Unmarshal(f.parts[0], d.Signal) != nil {
			return
		}
	}
	receive(d)
}
