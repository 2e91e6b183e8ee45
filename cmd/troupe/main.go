// Command troupe is a whole node of a job supervisor, and the tool to talk to one. It is the only place where drivers, actors and the HTTP
// interface are wired together.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"
)

// cli is every command, flag and environment variable there is.
type cli struct {
	Dev   devCmd   `cmd:"" group:"node" help:"Run a node on this machine, with sample jobs and readable logs; no server needed."`
	Serve serveCmd `cmd:"" group:"node" help:"Run a node: on Redis and Postgres if their URLs are given, otherwise embedded."`

	Enqueue enqueueCmd `cmd:"" group:"jobs" help:"Submit a job."`
	Jobs    jobsCmd    `cmd:"" group:"jobs" help:"List, show, watch, cancel and retry jobs."`
	Dead    deadCmd    `cmd:"" group:"jobs" help:"Dead letters: jobs that failed for good."`
	Queues  queuesCmd  `cmd:"" group:"jobs" help:"List, pause, resume and set queues."`
	Nodes   nodesCmd   `cmd:"" group:"jobs" help:"List nodes, drain one, and see what lives on it."`

	Migrate migrateCmd `cmd:"" group:"setup" help:"Bring the database's schema up, down, or show it."`
	Token   tokenCmd   `cmd:"" group:"setup" help:"Make a token for the HTTP interface."`
	Bench   benchCmd   `cmd:"" group:"setup" help:"Measure your own servers."`
	Version versionCmd `cmd:"" group:"setup" help:"Print the version."`
}

// groups are the headings under which help lists commands and flags.
var groups = []kong.Group{
	{Key: "node", Title: "Run a node:"},
	{Key: "jobs", Title: "Work with jobs, through a node:"},
	{Key: "setup", Title: "Set up:"},
	{Key: "filter", Title: "Which jobs:"},
	{Key: "server", Title: "Which node:"},
	{Key: "storage", Title: "Where jobs are kept:"},
	{Key: "access", Title: "Who may watch, and how many:"},
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// interruptible is a context that ends with the first signal to stop. Signals are then given back to the system, before anybody hears
// of it: a second one ends at once what takes its time to end.
func interruptible() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case <-signals:
		case <-ctx.Done():
		}
		signal.Stop(signals)
		cancel()
	}()
	return ctx, cancel
}

// run is the program. Its status is 0, 1 if the command failed, and 2 if it was not understood.
func run(args []string, stdout, stderr io.Writer) (status int) {
	ctx, stop := interruptible()
	defer stop()
	tuneGarbageCollector()
	var commands cli
	exited := -1
	parser, err := kong.New(&commands,
		kong.Name("troupe"),
		kong.Description("A job supervisor built on actors: durable jobs, live streams, one binary."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}), kong.ExplicitGroups(groups),
		kong.Writers(stdout, stderr), kong.Exit(func(code int) { exited = code }),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(output{stdout, stderr}),
	)
	if err != nil {
		fmt.Fprintln(stderr, "troupe:", err)
		return 2
	}
	command, err := parser.Parse(args)
	if exited >= 0 { // --help
		return exited
	}
	if err != nil {
		fmt.Fprintf(stderr, "troupe: %v\n", err)
		return 2
	}
	err = command.Run()
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		err = errors.New("interrupted")
	}
	if err != nil {
		fmt.Fprintf(stderr, "troupe: %v\n", err)
		return 1
	}
	return 0
}

// output is where a command writes.
type output struct{ out, err io.Writer }

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(o output) error {
	_, err := fmt.Fprintln(o.out, "troupe", version())
	return err
}

func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
