// Command troupe-peers drains a backlog of jobs that do nothing with River and with Asynq, each at its best settings, and prints jobs a second
// and processor time a job. With --troupe it lets `troupe bench drain` take its turn on the same servers in every round, and prints the ratios.
//
// It is a module of its own so that none of the peers becomes a dependency of Troupe.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strings"

	"github.com/alecthomas/kong"
)

type cli struct {
	RedisURL    string   `help:"Redis to measure: redis://host:port/db. The database must hold nothing of Asynq." env:"TROUPE_REDIS_URL" required:"" placeholder:"URL"`
	DatabaseURL string   `help:"Postgres to measure. River works in a schema of its own, which is dropped." env:"TROUPE_DATABASE_URL" required:"" placeholder:"URL"`
	Jobs        int      `help:"Jobs in the backlog, at least 1." short:"n" default:"100000"`
	Payload     int      `help:"Bytes of payload." default:"150"`
	Rounds      int      `help:"Rounds; in each, every system takes its turn." default:"3"`
	Systems     []string `help:"What to measure." enum:"river,asynq" default:"river,asynq"`
	Workers     []int    `help:"River's workers; each number is measured." default:"1000"`
	Servers     int      `help:"Asynq's servers." default:"4"`
	Concurrency int      `help:"Handlers at once in each of them." default:"100"`
	Pool        int      `help:"Redis connections of each of them; 0 leaves Asynq's own default, ten for each processor." default:"0"`
	Troupe      string   `help:"A troupe binary to interleave." placeholder:"PATH"`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var c cli
	kong.Parse(&c, kong.Name("troupe-peers"), kong.Description("Measures River and Asynq as `troupe bench drain` measures Troupe."))
	if err := c.run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "troupe-peers:", err)
		os.Exit(1)
	}
}

// system is one contestant.
type system struct {
	name  string
	drain func(ctx context.Context) (result, error)
}

func (c *cli) run(ctx context.Context, out io.Writer) error {
	systems := c.systems()
	lines := json.NewEncoder(out)
	var all []round
	for i := range c.Rounds {
		r := round{Round: i + 1, Load: loadAverage()}
		for k := range systems { // whoever came first comes last the next time
			s := systems[(k+i)%len(systems)]
			runtime.GC() // what the one before has left is not this one's to clear
			res, err := s.drain(ctx)
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			res.System = s.name
			r.Results = append(r.Results, res)
		}
		r.compare()
		all = append(all, r)
		if err := lines.Encode(r); err != nil {
			return err
		}
	}
	return lines.Encode(summarize(all))
}

func (c *cli) systems() []system {
	var list []system
	if c.Troupe != "" {
		list = append(list, system{troupe, c.drainTroupe})
	}
	for _, name := range c.Systems {
		if name == "asynq" {
			list = append(list, system{name, c.drainAsynq})
			continue
		}
		for _, workers := range c.Workers {
			list = append(list, system{fmt.Sprintf("river/%d", workers), func(ctx context.Context) (result, error) { return c.drainRiver(ctx, workers) }})
		}
	}
	return list
}

// data is the text in a payload, which is JSON of c.Payload bytes: {"data":"xxx"}.
func (c *cli) data() string { return strings.Repeat("x", max(c.Payload-len(`{"data":""}`), 0)) }
