package redis

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/persistence"
)

// The test binary is its own child process, a node that beats: the variables say under which name, and at which server.
const (
	beatsVariable  = "REDIS_TEST_BEATS"
	serverVariable = "REDIS_TEST_SERVER"
)

const (
	nodeBeats   = 500 * time.Millisecond
	nodeSilence = 5 * time.Second
)

func node(name string) persistence.Member {
	return persistence.Member{Name: name, Incarnation: 1, Address: "127.0.0.1:8091", Info: json.RawMessage(`{"queues":["films"]}`)}
}

// beatForever is the child's whole life. It ends with its parent, which holds its standard input.
func beatForever() {
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	c, err := Open(context.Background(), Config{URL: os.Getenv(serverVariable)})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for ; ; time.Sleep(nodeBeats) {
		roll, err := c.Members().Beat(context.Background(), node(os.Getenv(beatsVariable)), nodeSilence)
		if err != nil {
			fmt.Println("failed")
		} else if roll.Returned {
			fmt.Println("returned")
		} else {
			fmt.Println("beaten")
		}
	}
}

// child is a node in a process of its own.
type child struct {
	name string
	cmd  *exec.Cmd
	said chan string // what it prints after each beat; what nobody reads is lost
}

func startNode(t *testing.T, url, name string) *child {
	t.Helper()
	c := &child{name: name, cmd: exec.CommandContext(t.Context(), os.Args[0]), said: make(chan string, 1000)}
	c.cmd.Env = append(os.Environ(), beatsVariable+"="+name, serverVariable+"="+url)
	c.cmd.Stderr = os.Stderr
	in, err := c.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			select {
			case c.said <- lines.Text():
			default:
			}
		}
	}()
	t.Cleanup(func() {
		_ = in.Close()
		_ = c.cmd.Process.Kill()
		<-read
		_ = c.cmd.Wait()
	})
	return c
}

func (c *child) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := c.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// returned says whether the child was ever told that it had been declared dead.
func (c *child) returned() bool {
	for {
		select {
		case word := <-c.said:
			if word == "returned" {
				return true
			}
		default:
			return false
		}
	}
}

// crew is a few nodes in processes of their own, and one in this that beats as often, and looks.
type crew struct {
	*testing.T
	m        *Members
	last     time.Time // beat of our own
	seen     map[string]time.Time
	returned bool
}

func newCrew(t *testing.T, url string) *crew {
	return &crew{T: t, m: connect(t, Config{URL: url}).Members(), seen: map[string]time.Time{}}
}

// look beats if it is time, and answers who is on the list and who has fallen; not ok if the server can't be asked.
func (c *crew) look() (members map[string]bool, fallen []persistence.Fallen, ok bool) {
	if time.Since(c.last) >= nodeBeats {
		c.last = time.Now()
		roll, err := c.m.Beat(c.Context(), node("watch"), nodeSilence)
		if err != nil {
			return nil, nil, false
		}
		c.returned = c.returned || roll.Returned
	}
	all, err := c.m.List(c.Context())
	if err != nil {
		return nil, nil, false
	}
	members = map[string]bool{}
	for _, m := range all {
		members[m.Name], c.seen[m.Name] = true, m.Seen
	}
	fallen, err = c.m.Fallen(c.Context())
	return members, fallen, err == nil
}

// wellFor looks for so long and wants nobody to fall.
func (c *crew) wellFor(what string, while time.Duration) {
	c.Helper()
	began := time.Now()
	eventually(c, what, func() bool {
		if _, fallen, _ := c.look(); len(fallen) > 0 {
			c.Fatalf("%s after %s: fallen %+v", what, time.Since(began), fallen)
		}
		return time.Since(began) > while
	})
	if c.returned {
		c.Errorf("%s: our own node was declared dead", what)
	}
}

// all waits until so many are on the list.
func (c *crew) all(n int) {
	c.Helper()
	eventually(c, fmt.Sprint(n, " members"), func() bool { members, _, ok := c.look(); return ok && len(members) == n })
}

// killed kills a node that beats and wants it to fall by its presence. It answers how long that took.
func (c *crew) killed(victim *child) time.Duration {
	c.Helper()
	victim.signal(c.T, syscall.SIGKILL)
	died := time.Now()
	var since time.Time
	eventually(c, victim.name+" falls", func() bool {
		_, fallen, _ := c.look()
		for _, f := range fallen {
			if f.Name == victim.name {
				since = f.Since
			}
		}
		return !since.IsZero()
	})
	took := time.Since(died)
	if silent := since.Sub(c.seen[victim.name]); silent < 1200*time.Millisecond {
		c.Errorf("%s fell after %s of silence", victim.name, silent)
	}
	return took
}
