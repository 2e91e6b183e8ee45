package main

import (
	"context"
	"fmt"
	"strings"

	remoting "github.com/meta-ad-studio/troupe/actors/cluster"
	"github.com/meta-ad-studio/troupe/persistence/kubernetes"
)

// membershipChoice says where the nodes' list of each other is kept.
type membershipChoice struct {
	Membership string `help:"Where nodes keep the list of each other: redis, kubernetes (as Lease objects), or static:HOST:PORT,... with the remoting address of each." env:"TROUPE_MEMBERSHIP" default:"redis" group:"storage"`
}

// openMembers opens the list that was chosen. That in Redis comes with the other drivers; embedded there is no other node.
func (b *backends) openMembers(ctx context.Context, choice string) error {
	addresses, static := strings.CutPrefix(choice, "static:")
	switch {
	case b.embedded, choice == "redis", choice == "":
		return nil
	case static:
		members, err := remoting.NewStatic(strings.Split(addresses, ","))
		if err != nil {
			return fmt.Errorf("--membership: %w", err)
		}
		b.members = members
		b.before(members.Close)
	case choice == "kubernetes":
		members, err := kubernetes.Open(ctx, kubernetes.Config{})
		if err != nil {
			return fmt.Errorf("--membership kubernetes: %w", err)
		}
		b.members = members
		b.before(members.Close)
	default:
		return fmt.Errorf("--membership %q: want redis, kubernetes or static:HOST:PORT and so on, with commas", choice)
	}
	return nil
}

// before has something closed before what the node stands on so far.
func (b *backends) before(end func()) {
	rest := b.close
	b.close = func() { end(); rest() }
}
