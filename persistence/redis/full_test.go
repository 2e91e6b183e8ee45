package redis

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
	"github.com/meta-ad-studio/troupe/persistence/storetest/testenv"
)

// TestFullServer fills a server that evicts nothing: it must refuse new jobs and still let the old ones go.
func TestFullServer(t *testing.T) {
	server := testenv.StartRedis(t, testenv.Options{Args: []string{"--maxmemory", "12mb", "--maxmemory-policy", "noeviction"}})
	in := connect(t, Config{URL: server.URL}).Inbox()
	accepted := 0
	for {
		entries := fresh(t, 100)
		for i := range entries {
			entries[i].Envelope = bytes.Repeat([]byte("x"), 4<<10)
		}
		_, err := in.Enqueue(t.Context(), "films", entries)
		if errors.Is(err, persistence.ErrFull) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		accepted += len(entries)
	}
	if d := depth(t, in); d.Waiting != int64(accepted) {
		t.Fatalf("%d wait, %d were accepted", d.Waiting, accepted)
	}
	limit := func(bytes string) {
		if err := in.c.rdb.ConfigSet(t.Context(), "maxmemory", bytes).Err(); err != nil {
			t.Fatal(err)
		}
	}
	limit("2mb") // far below what is used: not even a small thing fits
	if err := in.Ping(t.Context()); !errors.Is(err, persistence.ErrFull) {
		t.Errorf("ping: %v, want ErrFull", err)
	}
	publishOnFull(t, in.c)
	settled := 0
	for settled < accepted {
		claims := claim(t, in, 50)
		if len(claims) == 0 {
			t.Fatalf("nothing to claim after %d of %d", settled, accepted)
		}
		leases, settlements := make([]persistence.Lease, len(claims)), make([]persistence.Settlement, len(claims))
		for i, c := range claims {
			leases[i] = persistence.Lease{ID: c.ID, Token: c.Token, Node: "node-a"}
			settlements[i] = persistence.Settlement{Lease: leases[i], Verb: persistence.Verb(1 + i%2)} // ack, dead
		}
		if _, err := in.Renew(t.Context(), "films", leases, time.Hour); err != nil {
			t.Fatal(err)
		}
		done, err := in.Settle(t.Context(), "films", settlements)
		if err != nil {
			t.Fatal(err)
		}
		for i := range done {
			if !done[i] {
				t.Fatalf("settlement %d was not made", i)
			}
		}
		settled += len(claims)
	}
	limit("12mb")
	if err := in.Ping(t.Context()); err != nil {
		t.Errorf("ping after all have left: %v", err)
	}
	enqueue(t, in, fresh(t, 100))
}

// publishOnFull wants a state to be kept, and to be heard on the job's channel and by another node.
func publishOnFull(t *testing.T, c *Client) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var other record
	defer other.finished.Wait()
	defer cancel()
	other.subscribe(t, ctx, c.Bus("node-b"))
	state := persistence.State{ID: job.ID{1}, Terminal: true, JSON: []byte(`{"status":"completed"}`)}
	follower := c.rdb.Subscribe(ctx, "job:"+state.ID.String())
	defer follower.Close()
	if _, err := follower.Receive(ctx); err != nil {
		t.Fatal(err)
	}
	bus := c.Bus("node-a")
	for range 2 { // with and without knowing that somebody listens
		if err := bus.Publish(ctx, []persistence.State{state}); err != nil {
			t.Errorf("publish: %v", err)
		}
	}
	if got, err := bus.Last(ctx, []job.ID{state.ID}); err != nil || !bytes.Equal(got[0], state.JSON) {
		t.Errorf("the last state is %q (%v)", got, err)
	}
	if ttl := c.rdb.PTTL(ctx, "job:"+state.ID.String()).Val(); ttl <= 0 || ttl > c.config.TerminalTTL {
		t.Errorf("it is kept for %s", ttl)
	}
	if m, err := follower.ReceiveMessage(ctx); err != nil || m.Payload != string(state.JSON) {
		t.Errorf("its channel says %v (%v)", m, err)
	}
	eventually(t, "another node hears it twice", func() bool { return other.count(&other.states) == 2 })
}
