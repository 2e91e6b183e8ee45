package simulation

import (
	"context"
	"time"

	"github.com/meta-ad-studio/troupe/persistence"
)

// linkedMembers is the list of members as a node reaches it.
type linkedMembers struct {
	*link
	far persistence.Members
}

var _ persistence.Members = (*linkedMembers)(nil)

func (m *linkedMembers) Beat(ctx context.Context, self persistence.Member, silence time.Duration) (persistence.Roll, error) {
	return over(ctx, m.link, func(ctx context.Context) (persistence.Roll, error) { return m.far.Beat(ctx, self, silence) })
}

func (m *linkedMembers) Leave(ctx context.Context, name string) error {
	return does(ctx, m.link, func(ctx context.Context) error { return m.far.Leave(ctx, name) })
}

func (m *linkedMembers) List(ctx context.Context) ([]persistence.Member, error) {
	return over(ctx, m.link, m.far.List)
}

func (m *linkedMembers) Fallen(ctx context.Context) ([]persistence.Fallen, error) {
	return over(ctx, m.link, m.far.Fallen)
}

func (m *linkedMembers) Bury(ctx context.Context, name string) error {
	return does(ctx, m.link, func(ctx context.Context) error { return m.far.Bury(ctx, name) })
}

func (m *linkedMembers) AskDrain(ctx context.Context, name, by string) error {
	return does(ctx, m.link, func(ctx context.Context) error { return m.far.AskDrain(ctx, name, by) })
}
