package redis

import (
	"context"
	"crypto/sha1"
	"embed"
	"encoding/hex"

	goredis "github.com/redis/go-redis/v9"
)

//go:embed lua/*.lua
var files embed.FS

// script is one file of the folder lua.
type script struct {
	name, source, hash string
}

var scripts []*script

func load(name string) *script {
	source, err := files.ReadFile("lua/" + name + ".lua")
	if err != nil {
		panic(err) // the file is part of the program
	}
	sum := sha1.Sum(source)
	s := &script{name: name, source: string(source), hash: hex.EncodeToString(sum[:])}
	scripts = append(scripts, s)
	return s
}

var (
	enqueueScript    = load("enqueue")
	claimScript      = load("claim")
	renewScript      = load("renew")
	settleScript     = load("settle")
	restoreScript    = load("restore")
	reapScript       = load("reap")
	reapHolderScript = load("reap_holder")
	dueScript        = load("due")
	hastenScript     = load("hasten")
	removeScript     = load("remove")
	cancelScript     = load("cancel")
	knownScript      = load("known")
	depthScript      = load("depth")
	advanceScript    = load("advance")
	beatScript       = load("beat")
	leaveScript      = load("leave")
	buryScript       = load("bury")
	drainScript      = load("drain")
)

func (c *Client) loadScripts(ctx context.Context) error {
	err := c.masters(ctx, func(ctx context.Context, server *goredis.Client) error {
		pipe := server.Pipeline()
		for _, s := range scripts {
			pipe.ScriptLoad(ctx, s.source)
		}
		_, err := pipe.Exec(ctx)
		return err
	})
	return wrap(ctx, "load the scripts", err)
}

// reply is a go-redis command of the type that reads the script's answer.
type reply interface {
	goredis.Cmder
	*goredis.IntSliceCmd | *goredis.StringSliceCmd | *goredis.IntCmd | *goredis.SliceCmd | *goredis.StatusCmd
}

// run sends the call and ends it: the caller must not use it afterwards. A server that has forgotten the script is told
// its text.
func run[R reply](ctx context.Context, c *Client, l *call, trying string, of func(context.Context, ...any) R) (R, error) {
	defer l.end()
	l.args[2] = l.keys
	answer := of(ctx, l.args...)
	err := c.rdb.Process(ctx, answer)
	if err != nil && goredis.HasErrorPrefix(err, "NOSCRIPT") {
		l.args[0], l.args[1] = "eval", l.script.source
		answer = of(ctx, l.args...)
		err = c.rdb.Process(ctx, answer)
	}
	return answer, wrap(ctx, trying, err)
}
