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
//	├─ membership             beats, knows who else lives; adoption, duties, noticing that the node was away or is cut off
//	├─ remoting               commands from and to other nodes (package cluster), if it is configured
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
//
// # Many nodes
//
// Leases say who holds a job, and the store's fence says whose write counts: neither knows of nodes that live or die. The list of members
// (Config.Members) only makes things faster, and a node that can't reach it, or has none, does without.
//
//   - A node that dies is noticed in one to two seconds where its end can be told (its connections close), after Config.Silence otherwise. Then
//     its leases are ended in pages, its jobs go to the front of their queues, and the list forgets it. That spends a crash of each, and no attempt.
//   - A node that drained takes leave. One that is closed without, or could not hand back all it held, does not, so that others find it dead.
//   - Periodic work is shared out by a hash of its name and the members': one node does it each time, the next in line four times more rarely,
//     all others twenty times, as the backstop.
//   - A node that was stopped, suspended or taken for dead renews all its leases at once when it notices: attempts whose jobs are others' by now
//     end with ErrLeaseLost. It goes on under a new incarnation.
//   - A node whose store has failed for the time of a lease, while it answers another node, hands its running jobs back without a write, and
//     claims none until its store answers. What has ended and is not written yet is kept under its lease. If the store answers nobody, all hold on.
//   - A node that reaches neither inbox, store nor any other node for that long, and had others beside it, ends its attempts. Without remoting it
//     can't tell that from an outage of both servers, and takes it for the former: jobs run again then, and no attempt is spent.
//   - A job for which no handler is here, or whose envelope is of a newer form than this build reads, is parked: it waits, unwritten, for a
//     node that can take it.
package actors
