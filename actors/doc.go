// Package actors runs jobs. An App is one node of a Troupe: it accepts jobs into the inbox, claims them from it, gives each an
// actor of its own, writes every state through to the store, and shows it to whoever watches.
//
//	App
//	├─ door, one per queue    accepts: concurrent submissions share a round trip and a commit
//	├─ intake, one per queue  claims by free slots, keeps leases alive
//	├─ supervisor             the only spawner of job actors
//	│   └─ job actor          one per claimed job: its lifecycle, its policy, its dead-letter hand-off
//	│       └─ attempt        one run of the handler, in a goroutine of its own
//	├─ journal                group commit: the one writer of jobs to the store
//	├─ settler                after the commit: settles leases, publishes states
//	├─ timekeeper             due jobs, ended leases, the reconciler, settings, retention
//	├─ broadcaster            numbers changes, fills the slots of streams
//	├─ line writer            what handlers log and output: behind them, and before the end of their attempt
//	└─ line tails             one reader for each log or output that is followed
//
// # The order of things
//
// A job is durable in the inbox (or, for a queue that says so, in the store) before its submission is answered. A
// transition is committed to the store before the inbox lets go of the job, and before anybody is shown it. Progress is shown
// at once and written at most once a second: it is never a promise.
//
// What a handler logs or outputs is written to the store behind its back, within a fraction of a second, but before a checkpoint that follows it and before the
// end of its attempt: who sees a job end can read its last line. Lines are fenced by the claim's token, as jobs are.
//
// The handler begins before its claim is committed: the claim's token fences it, and a claim that turns out stale ends the handler's
// context at its first refused write (see package persistence for the rule, and package persistence/fencemodel for the proof).
//
// # What may fail
//
// A handler's panic fails its attempt. A panic in a job actor leaves its job to be adopted. A panic in any other actor costs one message. A store
// that is down stops nothing but the recording: results wait, in bounded memory and under their leases. An inbox that is down
// closes the door and stops claims; what runs goes on. A node that dies is replaced by whoever reaps its leases.
package actors
