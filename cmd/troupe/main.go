// Command troupe is a whole node of a job supervisor, and the tool to talk to one. It is the only place where drivers, actors and the HTTP
// interface are wired together.
package main

import (
	"context"
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
	Dev     devCmd     `cmd:"" help:"Run a node on this machine, with sample jobs and readable logs; no server needed."`
	Serve   serveCmd   `cmd:"" help:"Run a node: on Redis and Postgres if their URLs are given, otherwise embedded."`
	Migrate migrateCmd `cmd:"" help:"Bring the database's schema up, down, or show it."`
	Token   tokenCmd   `cmd:"" help:"Make a token for the HTTP interface."`
	Bench   benchCmd   `cmd:"" help:"Measure your own servers."`
	Version versionCmd `cmd:"" help:"Print the version."`
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is the program. Its status is 0, 1 if the command failed, and 2 if it was not understood.
func run(args []string, stdout, stderr io.Writer) (status int) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var commands cli
	exited := -1
	parser, err := kong.New(&commands,
		kong.Name("troupe"),
		kong.Description("A job supervisor built on actors: durable jobs, live streams, one binary."),
		kong.UsageOnError(), kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Writers(stdout, stderr), kong.Exit(func(code int) { exited = code }),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(output{stdout, stderr}), kong.Bind(restoreSignals(stop)),
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
	if err := command.Run(); err != nil {
		fmt.Fprintf(stderr, "troupe: %v\n", err)
		return 1
	}
	return 0
}

// output is where a command writes.
type output struct{ out, err io.Writer }

// restoreSignals gives signals back to the system, so that a second one ends a program that is taking its time to end.
type restoreSignals func()

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
