package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/meta-ad-studio/troupe/migrations"
	"github.com/meta-ad-studio/troupe/persistence"
	"github.com/meta-ad-studio/troupe/persistence/local"
	"github.com/meta-ad-studio/troupe/persistence/postgres"
	"github.com/meta-ad-studio/troupe/persistence/redis"
	"github.com/meta-ad-studio/troupe/persistence/sqlite"
)

// backends are the drivers that a node stands on.
type backends struct {
	store     persistence.Store
	inbox     persistence.Inbox
	bus       persistence.Bus
	once      persistence.Once
	members   persistence.Members // nil: a node by itself
	artifacts persistence.Artifacts
	embedded  bool
	close     func()

	node        string // the machine's name with the incarnation, which no other start of any node has
	incarnation int64
}

// storage is where a node keeps what outlives it.
type storage struct {
	membershipChoice
	RedisURL    string `help:"Redis of the inbox and the bus: redis://host:port/db, or of a Cluster redis://host:port?addr=host2:port2." env:"TROUPE_REDIS_URL" placeholder:"URL" group:"storage"`
	DatabaseURL string `help:"Postgres of the store: postgres://user:password@host/database." env:"TROUPE_DATABASE_URL" placeholder:"URL" group:"storage"`
	RedisPrefix string `help:"Put before every Redis key and channel, so that several systems may share a server." env:"TROUPE_REDIS_PREFIX" placeholder:"TEXT" group:"storage"`
	Data        string `help:"Folder of the embedded database and of artifacts." env:"TROUPE_DATA" default:"data" type:"path" group:"storage"`
	AutoMigrate bool   `help:"Bring the schema up at the start; otherwise an old one is refused." env:"TROUPE_AUTO_MIGRATE" group:"storage"`
}

// open connects to the servers whose URLs are given, or opens the embedded database, for one life of a node on the machine.
func (s storage) open(ctx context.Context, machine string) (*backends, error) {
	artifacts, err := local.OpenArtifacts(filepath.Join(s.Data, "artifacts"))
	if err != nil {
		return nil, err
	}
	b := &backends{artifacts: artifacts}
	switch {
	case s.RedisURL == "" && s.DatabaseURL == "":
		err = b.openEmbedded(ctx, s, machine)
	case s.RedisURL == "" || s.DatabaseURL == "":
		err = errors.New("give both --redis-url and --database-url, or neither to run embedded")
	default:
		err = b.openServers(ctx, s, machine)
	}
	if err != nil {
		return nil, errors.Join(err, artifacts.Close())
	}
	closeDriver := b.close
	b.close = func() { closeDriver(); _ = artifacts.Close() }
	if err := b.openMembers(ctx, s.Membership); err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

func (b *backends) openEmbedded(ctx context.Context, s storage, machine string) error {
	db, err := sqlite.Open(ctx, filepath.Join(s.Data, "troupe.db"))
	if err != nil {
		return err
	}
	if err := b.begin(ctx, db.Store(), machine); err != nil {
		return errors.Join(err, db.Close())
	}
	b.inbox, b.bus, b.once, b.embedded = db.Inbox(), local.NewBus(b.node), local.NewOnce(), true
	b.close = func() { _ = db.Close() }
	return nil
}

func (b *backends) openServers(ctx context.Context, s storage, machine string) error {
	err := errors.Join(readable("--redis-url", s.RedisURL, "redis", "rediss", "unix"), readable("--database-url", s.DatabaseURL, "postgres", "postgresql"))
	if err != nil {
		return err
	}
	store, err := postgres.Open(ctx, postgres.Config{URL: s.DatabaseURL, Name: "troupe " + machine})
	if err != nil {
		return unusable("Postgres", s.DatabaseURL, err)
	}
	if err := migrated(ctx, store, s); err != nil {
		store.Close()
		return err
	}
	if err := b.begin(ctx, store, machine); err != nil {
		store.Close()
		return unusable("Postgres", s.DatabaseURL, err)
	}
	client, err := redis.Open(ctx, redis.Config{URL: s.RedisURL, Prefix: s.RedisPrefix})
	if err != nil {
		store.Close()
		return unusable("Redis", s.RedisURL, err)
	}
	b.inbox, b.bus, b.once, b.members = client.Inbox(), client.Bus(b.node), client.Once(), client.Members()
	b.close = func() { _ = client.Close(); store.Close() }
	return nil
}

// begin begins a life.
func (b *backends) begin(ctx context.Context, store persistence.Store, machine string) (err error) {
	b.store = store
	if b.incarnation, err = store.Incarnation(ctx); err != nil {
		return fmt.Errorf("begin a life of this node: %w", err)
	}
	b.node = machine + "-" + strconv.FormatInt(b.incarnation, 10)
	return nil
}

// migrated makes sure that the schema is the one this binary knows.
func migrated(ctx context.Context, store *postgres.Store, s storage) error {
	if s.AutoMigrate {
		if _, err := store.Migrate(ctx); err != nil {
			return unusable("Postgres", s.DatabaseURL, err)
		}
		return nil
	}
	pending, err := store.Pending(ctx)
	if err != nil {
		return unusable("Postgres", s.DatabaseURL, err)
	}
	if len(pending) == 0 {
		return nil
	}
	return fmt.Errorf("the database lacks %s: run `troupe migrate up`, or start with --auto-migrate", names(pending))
}

func names(list []migrations.Migration) string {
	all := make([]string, len(list))
	for i, m := range list {
		all[i] = m.Name
	}
	return strings.Join(all, ", ")
}
