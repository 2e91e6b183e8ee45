// Package sqlite keeps a whole troupe in one file: it is persistence.Store and persistence.Inbox for a process that has
// no servers, as durable as they are on one disk.
//
// # One writer
//
// Every change goes through one goroutine, the writer, which holds the only connection that writes. It takes what waits,
// runs it in one transaction and answers everybody when the transaction is on disk; while it commits, the next ones
// gather. There is no timer: alone a caller waits for one sync of the disk, and many callers share one. A request that
// fails does so alone: the group is undone and run again with a savepoint around each request.
//
// So nobody ever meets a locked database, and what the other drivers state in SQL or Lua is decided here in Go:
// whether a write passes the fence is persistence.Fence.Admits itself, between a read and a write that nothing comes between.
//
// Reads go to a few connections of their own. They see the last commit, and so whatever was answered before they began.
//
// # One process
//
// The file belongs to one process, by a lock beside it. Therefore every lease that Open finds belongs to a process that
// is dead: Open ends them all, and the first Reap returns their jobs, each with one more crash.
package sqlite
