package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/actors/kinds/sample"
	"github.com/meta-ad-studio/troupe/actors/kinds/video"
	httpapi "github.com/meta-ad-studio/troupe/http"
	"github.com/meta-ad-studio/troupe/http/ui"
)

// serving is what dev and serve have in common.
type serving struct {
	configured
	storage
	access
	clustering
	Listen    string        `help:"Address of the HTTP interface. Without a token only loopback is taken." env:"TROUPE_LISTEN" default:"127.0.0.1:8080"`
	Token     string        `help:"Bearer token that everybody must show; only its hash is kept." env:"TROUPE_TOKEN" placeholder:"SECRET"`
	TokenHash []string      `help:"Further tokens as NAME:HEX, the SHA-256 of each, as made by 'troupe token'." env:"TROUPE_TOKEN_HASHES" placeholder:"NAME:HEX"`
	Name      string        `help:"Name of the node; a number that is new at each start is added." env:"TROUPE_NAME" placeholder:"NAME"`
	Lease     time.Duration `help:"How long a claim holds without renewal: a dead node's jobs are adopted after that time at the latest." env:"TROUPE_LEASE" default:"8s"`
	Drain     time.Duration `help:"How long running handlers may go on after SIGTERM." env:"TROUPE_DRAIN" default:"30s"`
	Retention time.Duration `help:"How long ended jobs are kept; 0 is for ever." env:"TROUPE_RETENTION" default:"720h"`
	Queues    []string      `help:"Queues as NAME=CONCURRENCY or NAME=CONCURRENCY:store, besides default and video." env:"TROUPE_QUEUES" name:"queue" placeholder:"NAME=N"`
	FFmpeg    string        `help:"The ffmpeg to render with; 'none' does without." env:"TROUPE_FFMPEG" name:"ffmpeg" placeholder:"PATH"`
}

type devCmd struct {
	serving
}

// Run serves until interrupted, as a person at a terminal wants it.
func (c *devCmd) Run(ctx context.Context, o output) error {
	log := slog.New(slog.NewTextHandler(o.err, &slog.HandlerOptions{Level: slog.LevelInfo, ReplaceAttr: shortTime}))
	return c.serve(ctx, log, o.out, true)
}

type serveCmd struct {
	serving
	Samples bool `help:"Serve the kinds sample.*, too, with which anyone can try the system and break it." env:"TROUPE_SAMPLES"`
}

// Run serves until interrupted, with one line of JSON a log entry.
func (c *serveCmd) Run(ctx context.Context, o output) error {
	return c.serve(ctx, slog.New(slog.NewJSONHandler(o.err, nil)), o.out, c.Samples)
}

// shortTime drops the date from the lines that a person reads as they come.
func shortTime(groups []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey && len(groups) == 0 {
		a.Value = slog.StringValue(a.Value.Time().Format("15:04:05.000"))
	}
	return a
}

func (s *serving) serve(ctx context.Context, log *slog.Logger, out io.Writer, samples bool) (err error) {
	tokens, err := s.tokens()
	if err != nil {
		return err
	}
	if err := httpapi.CheckBind(s.Listen, len(tokens) > 0); err != nil {
		return err
	}
	queues, err := s.queues()
	if err != nil {
		return err
	}
	config := httpapi.Config{Tokens: tokens, Logger: log, UI: ui.Dist()}
	if err := s.apply(&config); err != nil {
		return err
	}
	// Before anything else: a node that takes jobs and then finds its port taken would leave them as a crash does.
	listener, err := httpapi.Listen(s.Listen)
	if err != nil {
		return fmt.Errorf("can't listen on %s: %s", s.Listen, reason(err))
	}
	defer listener.Close()
	b, err := s.open(ctx, s.nodeName())
	if err != nil {
		return err
	}
	defer b.close()
	if len(config.Secrets) == 0 {
		if config.Secrets, err = sharedSecret(ctx, b.store); err != nil {
			return err
		}
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), buildInfo())
	remote, err := s.remote(ctx, b)
	if err != nil {
		return err
	}
	ctx, drain := context.WithCancel(ctx)
	defer drain()
	app, err := actors.New(actors.Config{
		Node: b.node, Incarnation: b.incarnation, Members: b.members, Silence: s.NodeTimeout, Remote: remote, OnDrain: func(string) { drain() },
		Version: version(), Store: b.store, Inbox: b.inbox, Bus: b.bus, Artifacts: b.artifacts,
		Queues: queues, Log: log, Metrics: registry, Lease: s.Lease, Retention: s.Retention,
	})
	if err != nil {
		return err
	}
	if err := s.register(app, b, log, samples); err != nil {
		return err
	}
	if err := app.Start(ctx); err != nil {
		return err
	}
	defer app.Close()
	config.Node, config.Name, config.Once = app, b.node, b.once
	config.Registerer, config.Gatherer = registry, registry
	config.ParseVideo = func(payload json.RawMessage) error { _, err := video.ParsePayload(payload); return err }
	return s.listen(ctx, log, out, listener, app, httpapi.New(config), b.embedded)
}

// listen serves until the context ends, then drains: the door closes first, then what runs may end.
func (s *serving) listen(ctx context.Context, log *slog.Logger, out io.Writer, listener net.Listener, app *actors.App, h *httpapi.Handler, embedded bool) error {
	server, err := httpapi.NewServer(h, httpapi.ServerConfig{Listen: s.Listen})
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	announce(out, listener.Addr(), embedded)
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	log.Info("stopping: no new work is taken, running handlers may go on", "for", s.Drain)
	limit, cancel := context.WithTimeout(context.Background(), s.Drain)
	defer cancel()
	drained := make(chan error, 1)
	go func() { drained <- app.Drain(limit) }()
	err = server.Shutdown(limit)
	if drainErr := <-drained; drainErr != nil {
		log.Warn("some handlers did not end in time; their jobs were handed back", "error", drainErr)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = nil // the last connections were cut, as was announced to them
	}
	return errors.Join(err, <-served)
}

func announce(out io.Writer, addr net.Addr, embedded bool) {
	kind := "on Redis and Postgres"
	if embedded {
		kind = "embedded"
	}
	fmt.Fprintf(out, "Troupe %s is ready, %s: http://%s/\n", version(), kind, addr)
}

func (s *serving) register(app *actors.App, b *backends, log *slog.Logger, samples bool) error {
	renderer := video.Config{FFmpeg: s.FFmpeg, TempDir: filepath.Join(s.Data, "tmp"), Artifacts: b.artifacts, Log: log}
	app.Handle(video.Kind, video.New(renderer), actors.KindOptions{
		Queue:    "video",
		Validate: func(payload []byte) error { _, err := video.ParsePayload(payload); return err },
		Policy:   job.Policy{MaxAttempts: 3, Timeout: job.Duration(15 * time.Minute)},
	})
	if !samples {
		return nil
	}
	handlers := sample.Handlers()
	if path := os.Getenv("TROUPE_SAMPLES_WITNESS"); path != "" {
		var err error
		if handlers, err = sample.Witness(path, handlers); err != nil {
			return err
		}
	}
	for kind, h := range handlers {
		app.Handle(kind, h)
	}
	return nil
}

// tokens are all that may enter: the plain one and those given as hashes.
func (s *serving) tokens() ([]httpapi.Token, error) {
	var tokens []httpapi.Token
	if s.Token != "" {
		tokens = append(tokens, httpapi.NewToken("token", s.Token))
	}
	for _, entry := range s.TokenHash {
		name, text, ok := strings.Cut(entry, ":")
		hash, err := hex.DecodeString(text)
		if !ok || err != nil || len(hash) != sha256.Size || !job.ValidName(name) {
			return nil, errors.New("token hash: want NAME:HEX, the hex SHA-256 of a token, as `troupe token` prints it")
		}
		tokens = append(tokens, httpapi.Token{Name: name, Hash: [sha256.Size]byte(hash)})
	}
	return tokens, nil
}

// queues are the two that are always there, changed and added to by the flags.
func (s *serving) queues() ([]actors.Queue, error) {
	queues := actors.DefaultQueues()
	for _, text := range s.Queues {
		q, err := parseQueue(text)
		if err != nil {
			return nil, err
		}
		at := -1
		for i := range queues {
			if queues[i].Name == q.Name {
				at = i
			}
		}
		if at < 0 {
			queues = append(queues, q)
			continue
		}
		queues[at].Concurrency = q.Concurrency
		queues[at].StoreFirst = queues[at].StoreFirst || q.StoreFirst
	}
	return queues, nil
}

func parseQueue(text string) (actors.Queue, error) {
	name, rest, ok := strings.Cut(text, "=")
	count, durability, _ := strings.Cut(rest, ":")
	var n int
	if _, err := fmt.Sscanf(count, "%d", &n); !ok || err != nil || n < 1 || durability != "" && durability != "store" && durability != "inbox" {
		return actors.Queue{}, fmt.Errorf("queue %q: want NAME=CONCURRENCY or NAME=CONCURRENCY:store", text)
	}
	return actors.Queue{Name: name, Concurrency: n, StoreFirst: durability == "store"}, nil
}

// nodeName is the name that the machine goes by, to which each start adds its incarnation.
func (s *serving) nodeName() string {
	name := s.Name
	if name == "" {
		name, _ = os.Hostname()
	}
	name = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.' {
			return r
		}
		return '-'
	}, name)
	name = strings.TrimLeft(name, "-.")
	if name == "" {
		name = "node"
	}
	return name[:min(len(name), maxMachineName)]
}

func buildInfo() prometheus.Collector {
	g := prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: "troupe", Name: "build_info", Help: "1, with what was built.",
		ConstLabels: prometheus.Labels{"version": version(), "goversion": runtime.Version()},
	})
	g.Set(1)
	return g
}
