//go:build unix

package cluster_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/meta-ad-studio/troupe/actors/cluster"
	"github.com/meta-ad-studio/troupe/persistence"
	"github.com/meta-ad-studio/troupe/persistence/storetest/testenv"
)

// peerVariable makes the test's program a peer: its value is a setting as JSON.
const peerVariable = "CLUSTER_PEER"

func TestMain(m *testing.M) {
	if text := os.Getenv(peerVariable); text != "" {
		os.Exit(peer(text))
	}
	testenv.Main(m)
}

// setting is how a peer starts.
type setting struct {
	Node, Listen, Advertise, Secret, Cert, Key, CA string
	Peers                                          []string // with a Static list of these
}

// order is what a test tells a peer, one a line; it answers a report, one a line.
type order struct {
	Do      string               `json:"do"`
	Self    persistence.Member   `json:"self"`
	Members []persistence.Member `json:"members,omitempty"`
	Node    string               `json:"node,omitempty"`
	Body    string               `json:"body,omitempty"`
	Size    int                  `json:"size,omitempty"` // fills the body
	Within  time.Duration        `json:"within,omitempty"`
	Times   int                  `json:"times,omitempty"`
	At      int                  `json:"at,omitempty"` // how many at once
}

type report struct {
	Error       string          `json:"error,omitempty"`
	Unavailable bool            `json:"unavailable,omitempty"`
	Full        bool            `json:"full,omitempty"`
	Invalid     bool            `json:"invalid,omitempty"`
	NotFound    bool            `json:"not_found,omitempty"`
	Body        string          `json:"body,omitempty"`
	Size        int             `json:"size,omitempty"`
	Took        time.Duration   `json:"took"`
	Failed      int             `json:"failed,omitempty"`
	Lasted      []time.Duration `json:"lasted,omitempty"`
	Address     string          `json:"address,omitempty"`
	Goroutines  int             `json:"goroutines,omitempty"`
	Heap        uint64          `json:"heap,omitempty"`
	Memory      uint64          `json:"memory,omitempty"`
	Handled     int64           `json:"handled,omitempty"`

	Roll    persistence.Roll     `json:"roll,omitzero"`
	Members []persistence.Member `json:"members,omitempty"`
	Fallen  []persistence.Fallen `json:"fallen,omitempty"`
}

func (r *report) note(err error) {
	if err != nil {
		r.Error = err.Error()
		r.Unavailable, r.Full = errors.Is(err, persistence.ErrUnavailable), errors.Is(err, persistence.ErrFull)
		r.Invalid, r.NotFound = errors.Is(err, persistence.ErrInvalid), errors.Is(err, persistence.ErrNotFound)
	}
}

// peer is the child process.
func peer(text string) int {
	var s setting
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	p := &peerProcess{}
	if s.Peers != nil {
		list, err := cluster.NewStatic(s.Peers)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		p.list = list
	}
	r, err := cluster.Start(context.Background(), cluster.Config{
		Listen: s.Listen, Advertise: s.Advertise, Secret: []byte(s.Secret), Node: s.Node,
		CertFile: s.Cert, KeyFile: s.Key, CAFile: s.CA,
		Handle: p.handle, List: p.list, Log: slog.New(slog.NewTextHandler(os.Stderr, nil)).With("node", s.Node),
	})
	hello := report{}
	hello.note(err)
	if err == nil {
		hello.Address = r.Address()
	}
	out := json.NewEncoder(os.Stdout)
	if out.Encode(hello) != nil || err != nil {
		return 1
	}
	p.r = r
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	var wait sync.WaitGroup
	var mu sync.Mutex
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			if !errors.Is(err, io.EOF) {
				return 1
			}
			break
		}
		var o order
		if err := json.Unmarshal(line, &o); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		wait.Go(func() {
			answer := p.obey(o)
			mu.Lock()
			defer mu.Unlock()
			_ = out.Encode(answer)
		})
		if !strings.HasPrefix(o.Do, "start ") {
			wait.Wait()
		}
	}
	if p.list != nil {
		p.list.Close()
	}
	began := time.Now()
	r.Close()
	if took := time.Since(began); took > time.Second {
		fmt.Fprintf(os.Stderr, "%s: Close took %s\n", s.Node, took)
		return 1
	}
	wait.Wait()
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, s.Node, err)
		return 1
	}
	return 0
}

type peerProcess struct {
	r       *cluster.Remoting
	list    *cluster.Static
	mu      sync.Mutex
	handled int64
}

func (p *peerProcess) handle(ctx context.Context, from string, request []byte) ([]byte, error) {
	p.mu.Lock()
	p.handled++
	p.mu.Unlock()
	switch what := string(request); {
	case what == "panic":
		panic("at the disco")
	case what == "missing":
		return nil, fmt.Errorf("job 7: %w", persistence.ErrNotFound)
	case what == "huge":
		return make([]byte, cluster.MaxBody+1), nil
	case what == "hang":
		<-ctx.Done()
		return nil, ctx.Err()
	case len(request) > 1000:
		return request, nil
	default:
		return []byte(from + " said " + what), nil
	}
}

func (p *peerProcess) obey(o order) (a report) {
	began := time.Now()
	defer func() { a.Took = time.Since(began) }()
	switch strings.TrimPrefix(o.Do, "start ") {
	case "update":
		p.r.Update(o.Self, o.Members)
	case "ask":
		body, err := p.ask(o)
		a.note(err)
		if a.Size = len(body); a.Size <= 1000 {
			a.Body = string(body)
		}
	case "burst":
		var wait sync.WaitGroup
		var mu sync.Mutex
		turns := make(chan struct{}, max(o.At, 1))
		for range o.Times {
			turns <- struct{}{}
			wait.Go(func() {
				asked := time.Now()
				_, err := p.ask(o)
				lasted := time.Since(asked)
				<-turns
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					a.Failed++
					a.note(err)
				}
				a.Lasted = append(a.Lasted, lasted)
			})
		}
		wait.Wait()
		slices.Sort(a.Lasted)
		a.Lasted = []time.Duration{a.Lasted[len(a.Lasted)/2], a.Lasted[len(a.Lasted)*99/100], a.Lasted[len(a.Lasted)-1]}
	case "rejoin":
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		a.note(p.r.Rejoin(ctx))
	case "stats":
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		a.Goroutines, a.Heap, a.Memory = runtime.NumGoroutine(), m.HeapAlloc, m.Sys
		p.mu.Lock()
		a.Handled = p.handled
		p.mu.Unlock()
	case "beat":
		var err error
		a.Roll, err = p.list.Beat(context.Background(), o.Self, max(o.Within, persistence.MinSilence))
		if err == nil {
			a.Members, err = p.list.List(context.Background())
		}
		if err == nil {
			a.Fallen, err = p.list.Fallen(context.Background())
		}
		a.note(err)
	case "drain":
		a.note(p.list.AskDrain(context.Background(), o.Node, o.Body))
	case "leave":
		a.note(p.list.Leave(context.Background(), o.Node))
	case "bury":
		a.note(p.list.Bury(context.Background(), o.Node))
	default:
		a.Error = "what is " + o.Do
	}
	return a
}

func (p *peerProcess) ask(o order) ([]byte, error) {
	within := o.Within
	if within == 0 {
		within = 5 * time.Second
	}
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	body := []byte(o.Body)
	if o.Size > 0 {
		body = make([]byte, o.Size)
	}
	return p.r.Ask(ctx, o.Node, body)
}

// remote is a peer as a test sees it.
type remote struct {
	*testenv.Child
	t      *testing.T
	member persistence.Member
}

const secret = "the secret of these tests"

func start(t *testing.T, s setting) *remote {
	t.Helper()
	p, first := tryStart(t, s)
	if first.Error != "" {
		t.Fatalf("start %s: %s", s.Node, first.Error)
	}
	return p
}

var incarnations int64

func tryStart(t *testing.T, s setting) (*remote, report) {
	t.Helper()
	if s.Listen == "" {
		s.Listen = "127.0.0.1:0"
	}
	if s.Secret == "" {
		s.Secret = secret
	}
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	p := &remote{Child: testenv.StartChild(t, peerVariable+"="+string(text)), t: t}
	first := p.hear()
	incarnations++
	p.member = persistence.Member{Name: s.Node, Incarnation: incarnations, Address: first.Address}
	return p, first
}

// hear reads the next report.
func (p *remote) hear() report {
	p.t.Helper()
	line, err := p.Out.ReadBytes('\n')
	var a report
	if err == nil {
		err = json.Unmarshal(line, &a)
	}
	if err != nil {
		p.t.Fatalf("node %s tells %q: %v", p.member.Name, line, err)
	}
	return a
}

func (p *remote) tell(o order) {
	p.t.Helper()
	line, err := json.Marshal(o)
	if err == nil {
		_, err = p.In.Write(append(line, '\n'))
	}
	if err != nil {
		p.t.Fatalf("tell node %s to %s: %v", p.member.Name, o.Do, err)
	}
}

func (p *remote) do(o order) report {
	p.t.Helper()
	p.tell(o)
	return p.hear()
}

func (p *remote) ask(node, body string) report {
	p.t.Helper()
	return p.do(order{Do: "ask", Node: node, Body: body})
}

// know tells all of them about all of them.
func know(all ...*remote) {
	for _, p := range all {
		p.t.Helper()
		p.knows(all...)
	}
}

func (p *remote) knows(others ...*remote) {
	p.t.Helper()
	o := order{Do: "update", Self: p.member, Members: []persistence.Member{p.member}}
	for _, other := range others {
		if other != p {
			o.Members = append(o.Members, other.member)
		}
	}
	p.do(o)
}

// says wants an ask to be answered in the usual way.
func (p *remote) says(other *remote, what string) {
	p.t.Helper()
	if a := p.ask(other.member.Name, what); a.Body != p.member.Name+" said "+what {
		p.t.Errorf("node %s asks %s and is answered %+v", p.member.Name, other.member.Name, a)
	}
}
