package redis

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// stoppedVariable makes the test binary a node that tells of one job without end, at the server it names.
const stoppedVariable = "REDIS_TEST_STOPPED"

var stoppedJob = job.ID{7}

func stoppedState(version int64, status string) persistence.State {
	return persistence.State{
		ID: stoppedJob, Version: version,
		JSON: fmt.Appendf(nil, `{"id":"%s","version":%d,"status":"%s"}`, stoppedJob, version, status),
	}
}

// tellForever says after each publication which version it was of.
func tellForever(url string) error {
	c, err := Open(context.Background(), Config{URL: url})
	if err != nil {
		return err
	}
	bus := c.Bus("node-a")
	for version := int64(job.RevsPerToken + 1); ; version++ {
		if err := bus.Publish(context.Background(), []persistence.State{stoppedState(version, "processing")}); err == nil {
			fmt.Println(version)
		}
	}
}

// TestStoppedNodeTakesNothingBack stops a node at random moments of its telling, has another one tell what the job is by then, and lets the
// first go on.
func TestStoppedNodeTakesNothingBack(t *testing.T) {
	if url := os.Getenv(stoppedVariable); url != "" {
		t.Fatal(tellForever(url))
	}
	url := startedRedis(t)
	c := connect(t, Config{URL: url})
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), stoppedVariable+"="+url)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	said := bufio.NewScanner(out)
	follower := c.rdb.Subscribe(t.Context(), "job:"+stoppedJob.String())
	defer follower.Close()
	said.Scan()
	key := func() string { return c.rdb.Get(t.Context(), "job:"+stoppedJob.String()).Val() }
	for round := int64(2); round < 12; round++ {
		if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		newer := stoppedState(round*10*job.RevsPerToken, "retrying")
		if err := c.Bus("node-b").Publish(t.Context(), []persistence.State{newer}); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		for range 50 {
			if !said.Scan() {
				t.Fatal("the node has ended")
			}
		}
		if got := key(); got != string(newer.JSON) {
			t.Fatalf("in round %d the key is %s, want %s", round, got, newer.JSON)
		}
	}
	last := int64(0)
	for {
		message, err := follower.ReceiveTimeout(t.Context(), 100*time.Millisecond)
		if err != nil {
			break
		}
		var version int64
		if _, text, ok := strings.Cut(fmt.Sprint(message), `"version":`); ok {
			_, _ = fmt.Sscan(text, &version)
		}
		if version != 0 && version < last {
			t.Fatalf("the channel said version %d after %d", version, last)
		}
		last = max(last, version)
	}
	if last != 110*job.RevsPerToken {
		t.Errorf("the last version on the channel was %d", last)
	}
}

// TestHealedCutDeliversNothing has the network hold back what a node writes for longer than the node waits: what was not delivered must not
// arrive when the network has healed.
func TestHealedCutDeliversNothing(t *testing.T) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	conn, err := dialer(nil)(t.Context(), "tcp", server.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	peer, err := server.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	written := 0
	for {
		_ = conn.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
		n, err := conn.Write(make([]byte, 1<<20)) // until both buffers are full
		written += n
		if err != nil {
			break
		}
	}
	_ = conn.Close()
	read, buf := 0, make([]byte, 1<<20)
	for {
		n, err := peer.Read(buf)
		read += n
		if err != nil {
			break
		}
	}
	if read >= written {
		t.Errorf("all of %d bytes arrived after their connection was given up", written)
	}
}
