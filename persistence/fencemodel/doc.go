// Package fencemodel walks every state that the protocol of claim, commit and settle can come to under bounded faults, and
// holds the promises to be kept in each. It is a test and nothing else: there is nothing to import.
//
// The question it answers: tokens are counted by the inbox, without a commit for each claim, and an inbox can be rolled back
// by a failover or lose everything. Then one token may be given out twice. Is what the store keeps still right, and does every job
// still come to its end?
//
// # What is real and what is modelled
//
// Real: what an event makes of a job (job.Apply) and whether the store takes a write (persistence.Fence.Admits). Modelled: the
// inbox, with atomic steps; two nodes, each with a journal that coalesces, and an actor of the job; the reconciler, which
// reads a row and refills later; the API, which cancels, hastens or redrives under node A's name. One job. A walk is exhaustive within its bounds: which
// faults, how often, how many attempts and crashes a policy allows. They stand in the table of the test, with the states
// visited in its output.
//
// A handler may begin before its claim is committed. A lease may end at any moment, also under a holder that lives and goes on.
// A commit's reply may be lost, and a commit that was cut off may land at any time later, also after its node's death. The inbox may be
// rolled back to any earlier state, once, and emptied, once. Emptying it before the accepted row is committed is left out: the
// job is durable in the inbox only until then, unless its queue says otherwise.
//
// Two verbs of the inbox have no steps of their own here, for what they do to the fence another step does. Park is Return: the lease ends, the
// token stays, and the next claim has the next one; who may claim then is not the fence's matter. ReapHolder is the end of a lease under a living or a
// dead holder: it ends leases before their time, and the walk lets each end at any moment.
//
// # What holds
//
//   - P-one: a life gets one terminal status, which nothing overwrites; only a redrive begins a life, the next.
//   - P-fence: once a write of another claim was taken, no write of the earlier one is ever taken again.
//   - P-nostale: unless the inbox lost something, no write of a claim is taken after a write of a newer claim.
//   - P-rev: a row's rev only grows.
//   - P-truth: who is told that a write is in force finds its own write in the row.
//   - P-bound: the claims of a job are bounded, and so are the runs of its handler, as each claim begins at most one. Failures never
//     pass the policy's attempts, and crashes over the bound end the job.
//   - P-notlost: from every state, when no further fault comes, every order of steps ends, and ends with a terminal row, an inbox
//     without the job, and nobody with anything left to do. So there is no deadlock and no livelock, and no job is lost.
//
// # What the protocol must do for it
//
// Each rule was taken away in turn; the walk then finds a history that breaks a promise, and prints it.
//
//   - Commit, then settle, then publish.
//   - The fence compares token, then owner, then rev, and never opens a terminal row but for a redrive.
//   - A write that is refused by the fence, and whose fence equals the row's, is in force from before only if its time is the row's
//     as well. After a rollback one node can be given the same token again, and its first write then has the same fence as
//     that of its earlier claim.
//   - A node's name is never used again: not by the process that starts after it, and not by two actors of a job at a time.
//   - An actor that lost its lease ends only once the journal has answered for all it wrote. Otherwise a later claim of the
//     same token on the same node shares the journal with it: the older write, having the greater rev, swallows the newer
//     claim's last word, and that one waits for ever, renewing its lease.
//   - What is put into the inbox carries the row's token, and what replaces an earlier life carries at least the token that the inbox has
//     given out.
//   - A handler begins without a look at the row only under token 1. Under any other the row is read first.
//
// # A holder that is refused
//
// It stops its handler, writes nothing more, and settles its lease, if it still has it, by what the row says: a terminal row
// or a later life is an Ack, anything else a Return. A Return keeps the inbox's token, so the next claim has the next one, and the
// claims count up until they pass the row's. The bound: an inbox that is behind by n tokens (the row's less the first refused claim's) costs n+1 refused
// claims, as long as the row stands still, and of these only one under token 1 begins a handler in vain; the others are refused on reading the row, without a write. N is at most
// the number of claims of this job that the inbox lost.
//
// To Ack and then Enqueue under the row's token instead (a rebase) is sound too and costs one refused claim however large n is, but it is two
// steps: a job whose node dies between them waits for the reconciler, and a refill that was read earlier may come between with an older
// token, which costs further claims.
package fencemodel
