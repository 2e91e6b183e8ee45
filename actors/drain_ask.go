package actors

import (
	"cmp"
	"context"
	"errors"
	"fmt"
)

// DrainWay is how a node was told to drain.
type DrainWay string

const (
	// DrainDirect: the node itself has heard it.
	DrainDirect DrainWay = "direct"
	// DrainLeft: word is left in the list of members, which the node reads with its next beat.
	DrainLeft DrainWay = "left"
)

// ErrNoDrain: the program that runs the node does not let it be drained from outside.
var ErrNoDrain = errors.New("this node can't be drained from outside")

// DrainNode asks a node, this one if it has no name, to end in order as on SIGTERM: through remoting or, where that fails, by word in the list of
// members. ErrNotFound if there is no such node, ErrUnavailable if it can't be told.
func (a *App) DrainNode(ctx context.Context, node, by string) (DrainWay, error) {
	if node == "" || node == a.config.Node {
		return DrainDirect, a.drainAsked("", by)
	}
	a.log.Info("asked to drain another node", "to", node, "by", by)
	_, err := a.askNode(ctx, node, remoteRequest{Op: opDrain, By: by})
	switch {
	case err == nil:
		return DrainDirect, nil
	case errors.Is(err, ErrNoDrain):
		return "", fmt.Errorf("drain node %.80q: %w", node, err)
	}
	a.log.Warn("a node could not be asked to drain; word is left for it", "to", node, "by", by, "error", err)
	if a.config.Members == nil {
		return "", fmt.Errorf("drain node %.80q: %w", node, err)
	}
	if err := a.config.Members.AskDrain(ctx, node, cmp.Or(by, a.config.Node)); err != nil {
		return "", fmt.Errorf("drain node %.80q: %w", node, err)
	}
	return DrainLeft, nil
}

// drainAsked has the program end this node in order, as on SIGTERM. From is the node that passes the request on, or empty if it was asked
// here, or by word in the list of members. Asking again changes nothing.
func (a *App) drainAsked(from, by string) error {
	if a.config.OnDrain == nil {
		return ErrNoDrain
	}
	if a.drainTold.CompareAndSwap(false, true) {
		a.log.Info("asked to drain", "from", from, "by", by)
		go a.config.OnDrain(by)
	}
	return nil
}
