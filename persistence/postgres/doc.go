// Package postgres keeps jobs in PostgreSQL, version 14 or later.
//
// # How it is fast
//
// A batch of writes is one statement, or two: an update of the rows that are probably there, and an upsert of the rest.
// Columns travel as binary arrays that are built in one buffer, and are unnested side by side in the statement's list of
// results. Rows change in place (see the comments of the schema). A batch of 500 costs 8 to 12 µs of the server and 1 to 2
// of the program for each job, history included (BenchmarkCommit).
//
// # How it is right
//
// The fence is in the WHERE clause of every write; rows that it keeps out are read back, so that a repeated write
// finds itself in force. A batch is sorted by id, which makes writers wait for each other in one order; the deadlocks
// that remain possible are tried again. A connection lost in mid-commit is answered by the same call once more.
//
// Every statement finds its rows by an index, whatever the server believes of the tables' sizes at the time it plans:
// sessions switch sequential scans and hash joins off. A plan made while a table was empty would otherwise read the
// whole of it a minute later.
//
// # Behind PgBouncer
//
// In transaction mode, set Config.Pooler: statements are then parsed and planned on each use (one or two microseconds of
// the server's for each job in full batches) instead of being prepared, and no session parameters are sent. Give the role
// those that Session lists with ALTER ROLE … SET. Config.ListenURL must lead past the pooler, because LISTEN and the lock
// around a migration need a session of their own.
package postgres
