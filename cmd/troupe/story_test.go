//go:build unix

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/meta-ad-studio/troupe/persistence/storetest/testenv"
)

func TestMain(m *testing.M) {
	testscript.Main(tests{m}, map[string]func(){
		"troupe": func() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) },
	})
}

type tests struct{ *testing.M }

// Run implements testscript.TestingM.
func (t tests) Run() int { return testenv.Run(t.M) }

// TestStories tells the stories of testdata/script with the real binary and real servers. Beside the commands of testscript they have:
//
//	redis                       a Redis of one's own for the nodes that follow
//	redis-alone                 a Redis server of one's own, which redis-down ends and redis-up starts again with its data
//	postgres                    an empty database of one's own, likewise
//	serve NAME FLAGS...         start a node with the sample kinds and wait until it is ready; $NAME is its URL, also after a restart, and so is TROUPE_SERVER
//	serve-until ID STATUS NAME FLAGS...   start a node, again and again when it dies, until the job has the status
//	crash NAME                  end a node as a power failure does
//	term NAME                   send SIGTERM and wait for an orderly end
//	freeze NAME, thaw NAME      stop a node's process where it is, and let it go on
//	left NAME                   wait until a node has ended in order, without being told here
//	signal NAME                 send SIGTERM and do not wait
//	terminated NAME             wait until the signal, not the node itself, has ended it
//	wait-log NAME TEXT          wait until a node has logged a text
//	take VARIABLE               keep what the last command printed, as $VARIABLE
//	take-match VARIABLE PATTERN the same of what the pattern's parentheses match
//	addr-of NAME                keep host and port of a node as $ADDR
//	wait-job ID STATUS [FIELD>=N]...      wait until a job has the status, and its fields the values
//	job ID FIELD=VALUE...       look at a job: fields within fields are joined by dots
//	history ID EVENT:STATUS...  look at a job's whole history, but for checkpoints and artifacts
//	waits-grow ID BASE          look at the waits before the attempts: each longer than the one before
//	fetch METHOD PATH [BODY] [HEADER:VALUE]...   an HTTP request, as curl -i shows it; it fails above 399
//	wait-streams N              wait until so many streams are open at the node
//	wait-process TEXT           wait until some process works in a folder that has TEXT in its path
//	no-process TEXT             wait until none does
func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			s := &story{t: t, nodes: map[string]*storyNode{}}
			testscript.Run(t, testscript.Params{Files: []string{file}, Cmds: s.commands(), Setup: s.setup, RequireUniqueNames: true})
		})
	}
}

// story is one script under way.
type story struct {
	t     *testing.T // outlives the script
	nodes map[string]*storyNode
	alone *testenv.Server // its own Redis
}

type storyCommand = func(ts *testscript.TestScript, neg bool, args []string)

func (s *story) commands() map[string]storyCommand {
	commands := map[string]storyCommand{}
	for name, c := range map[string]struct {
		least int
		do    func(ts *testscript.TestScript, args []string)
	}{
		"redis": {0, s.redis}, "redis-alone": {0, s.redisAlone}, "redis-down": {0, s.redisDown}, "redis-up": {0, s.redisUp},
		"freeze": {1, s.freeze}, "thaw": {1, s.thaw}, "left": {1, s.left},
		"postgres": {0, s.postgres}, "serve": {1, s.serve}, "serve-until": {3, s.serveUntil},
		"crash": {1, s.crash}, "term": {1, s.term}, "signal": {1, s.signal}, "terminated": {1, s.terminated}, "wait-log": {2, s.waitLog},
		"take": {1, s.take}, "take-match": {2, s.takeMatch}, "addr-of": {1, s.addrOf}, "wait-job": {2, s.waitJob}, "job": {2, s.job}, "history": {2, s.history}, "waits-grow": {2, s.waitsGrow},
		"wait-streams": {1, s.waitStreams}, "wait-process": {1, s.waitProcess}, "no-process": {1, s.noProcess},
	} {
		commands[name] = func(ts *testscript.TestScript, neg bool, args []string) {
			if neg || len(args) < c.least {
				ts.Fatalf("%s: want at least %d arguments, and no negation", name, c.least)
			}
			c.do(ts, args)
		}
	}
	commands["fetch"] = s.fetch
	return commands
}

// setup sees to it that no node outlives the script, and that none has had a data race or a panic.
func (s *story) setup(env *testscript.Env) error {
	env.Defer(func() {
		for name, n := range s.nodes {
			_ = n.cmd.Process.Signal(syscall.SIGCONT)
			n.end(os.Kill)
			log, err := os.ReadFile(n.log)
			if err != nil {
				s.t.Errorf("read the log of %s: %v", name, err)
			}
			if bytes.Contains(log, []byte("DATA RACE")) || bytes.Contains(log, []byte("\npanic: ")) || bytes.Contains(log, []byte("fatal error:")) {
				s.t.Errorf("node %s:\n%s", name, log)
			} else if s.t.Failed() {
				s.t.Logf("the log of node %s ends:\n%s", name, log[max(0, len(log)-4096):])
			}
		}
	})
	return nil
}

func (s *story) redis(ts *testscript.TestScript, _ []string) {
	ts.Setenv("TROUPE_REDIS_URL", testenv.Redis(s.t))
	ts.Setenv("TROUPE_REDIS_PREFIX", ts.Name()+":") // channels know no databases
}

func (s *story) redisAlone(ts *testscript.TestScript, _ []string) {
	s.alone = testenv.StartRedis(s.t, testenv.Options{Durable: true})
	ts.Setenv("TROUPE_REDIS_URL", s.alone.URL)
}

func (s *story) redisDown(*testscript.TestScript, []string) { s.alone.Kill() }

func (s *story) redisUp(*testscript.TestScript, []string) { s.alone.Start() }

func (s *story) freeze(ts *testscript.TestScript, args []string) {
	ts.Check(s.node(ts, args[0]).cmd.Process.Signal(syscall.SIGSTOP))
}

func (s *story) thaw(ts *testscript.TestScript, args []string) {
	ts.Check(s.node(ts, args[0]).cmd.Process.Signal(syscall.SIGCONT))
}

func (s *story) left(ts *testscript.TestScript, args []string) {
	n := s.node(ts, args[0])
	poll(ts, args[0]+" to end", n.ended)
	if n.err != nil {
		ts.Fatalf("%s did not end in good order: %v", args[0], n.err)
	}
}

func (s *story) postgres(ts *testscript.TestScript, _ []string) {
	ts.Setenv("TROUPE_DATABASE_URL", testenv.Postgres(s.t))
}

func (s *story) take(ts *testscript.TestScript, args []string) {
	lines := strings.Split(strings.TrimSpace(ts.ReadFile("stdout")), "\n")
	ts.Setenv(args[0], lines[0])
}

func (s *story) takeMatch(ts *testscript.TestScript, args []string) {
	found := regexp.MustCompile(args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if len(found) != 2 {
		ts.Fatalf("take-match: no match for %s", args[1])
	}
	ts.Setenv(args[0], found[1])
}

func (s *story) addrOf(ts *testscript.TestScript, args []string) {
	ts.Setenv("ADDR", s.node(ts, args[0]).addr)
}
