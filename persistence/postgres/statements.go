package postgres

import (
	"embed"
	"fmt"
	"strings"
)

//go:embed sql/*.sql
var sqlFiles embed.FS

// statement is one file of sql, under the name it is prepared by.
type statement struct{ name, sql string }

var statements = struct {
	upsert, update, fences                    statement
	bindKeys, holders, findKey, keys          statement
	get, live, history, requestCancel, remove statement
	expired, dropKeys, waiting                statement
	queues, saveQueue, ping, notify           statement
	appendLines, readLines, boundLines        statement
	weighLines                                statement
}{
	upsert: load("upsert"), update: load("update"), fences: load("fences"),
	bindKeys: load("bind_keys"), holders: load("holders"), findKey: load("find_key"), keys: load("keys"),
	get: load("get"), live: load("live"), history: load("history"), requestCancel: load("request_cancel"), remove: load("remove"),
	expired: load("expired"), dropKeys: load("drop_keys"), waiting: load("waiting"),
	queues: load("queues"), saveQueue: load("save_queue"), ping: load("ping"), notify: load("notify"),
	appendLines: load("append_lines"), readLines: load("read_lines"), boundLines: load("bound_lines"), weighLines: load("weigh_lines"),
}

// load reads a file, leaving out its comments, which a server behind a pooler would be sent on each use.
func load(name string) statement {
	text, err := sqlFiles.ReadFile("sql/" + name + ".sql")
	if err != nil {
		panic(fmt.Sprintf("postgres: embedded statement %s: %v", name, err))
	}
	var sql strings.Builder
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(strings.TrimSpace(line), "--") {
			sql.WriteString(line)
		}
	}
	return statement{"troupe_" + name, sql.String()}
}
