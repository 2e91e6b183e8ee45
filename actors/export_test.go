package actors

import (
	"context"
	"fmt"

	"github.com/meta-ad-studio/troupe/persistence"
)

// Neighbours are nodes of one process that reach each other without a network between them.
type Neighbours map[string]*App

// Connect lets nodes that have started reach each other.
func Connect(nodes ...*App) {
	all := Neighbours{}
	for _, n := range nodes {
		all[n.config.Node] = n
	}
	for _, n := range nodes {
		n.peers = hotline{all, n.config.Node}
	}
}

type hotline struct {
	to   Neighbours
	from string
}

// Ask implements asker.
func (l hotline) Ask(ctx context.Context, node string, request []byte) ([]byte, error) {
	to := l.to[node]
	if to == nil {
		return nil, fmt.Errorf("node %s: %w", node, persistence.ErrUnavailable)
	}
	return to.remote(ctx, l.from, request)
}

// Remote is what a node answers to another's request.
func (a *App) Remote(ctx context.Context, from string, request []byte) ([]byte, error) {
	return a.remote(ctx, from, request)
}
