// Package persistence holds the contracts between the actors and what outlives them: the Inbox that accepts and hands out
// jobs, the Store that keeps every state, the Bus that tells other nodes and outside consumers, and the Artifacts that
// handlers leave. Drivers live in the packages below it, one a technology; package storetest is the one suite that each
// of them must pass.
//
// # Who is right
//
// The Inbox says who holds a job now, by lease. The Store says what the job is, by fence. Where they differ the Store is
// right: an inbox may be rolled back by a failover or emptied by an accident, and is then refilled from the Store.
//
// # The fence
//
// A claim gives its holder a token, a number that grows with each claim of the job. Every write to the Store carries
// (life, token, node, rev), and changes a row if and only if
//
//   - there is no row yet; or
//   - the life is the row's, the row's status is not terminal, the rev is greater than the row's, and either the token is
//     greater than the row's, or it is equal and the node is the same; or
//   - the life is the row's plus one, the row's status is failed or cancelled, and the token and the rev are greater: a redrive.
//
// So one life gets one terminal status, whatever the inbox was made to believe: if a rollback lets the inbox give one
// token to two nodes, the first to write wins the token and the other is refused for good.
//
// Every write is safe to repeat: a repeated write changes nothing and reports that it is in force.
//
// The same holds for whatever a node says late, because it was stopped, or the network held its bytes back: a lease is renewed and
// settled under its token and node, a row and a line of a log are taken under the fence, an artifact has its token in its name and is
// written once the Store has the claim, and the Bus drops a state older than the last. A commit that arrives after its node
// was given up is a write like any other. Not fenced is what belongs to no claim: the settings of a queue, of which the last one counts.
//
// # Clocks
//
// Nothing that decides who may do what compares the clocks of two nodes. Leases, the length of a backoff and the order of waiting jobs go by the inbox's
// clock; idempotency keys expire by that of the server that holds them; a member is dead by the clock of the list, or of who watched it; what a node measures
// for itself goes by its monotonic clock, which does not jump.
//
// What a node's wall clock tells is times for people, and some that are acted on. If it is wrong by an hour, then
//
//   - a job submitted there with a delay, or a run_at, is due an hour off;
//   - ids made there sort an hour off, in lists and in the reconciler's walk, which misses none; they stay unique;
//   - a history may show a start before its submission, and run times across two nodes are off; revs order it all the same;
//   - a stream begun there leaves out jobs that ended more than ten minutes ago by that clock, and tokens and tickets signed there expire an hour off;
//   - a row of a running job that the inbox has lost is put back at once, although its holder may be about to: the fence lets one of them end it;
//   - it removes ended jobs an hour before or after their time. A clock that is ahead by more than the retention removes all that have ended.
//
// A server's clock that jumps ahead ends all leases at once, and jobs start a second time: as after any lost lease, the fence lets one end
// them. One that jumps back has the leases of dead nodes last for so much longer, unless their members are known to have fallen. Run
// NTP everywhere, so that it slews and does not step.
package persistence
