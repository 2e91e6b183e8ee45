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
package persistence
