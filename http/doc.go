// Package httpapi is the HTTP interface: routes on gorilla/mux, streams of server-sent events, authentication, the
// OpenAPI document and the embedded page. It is called httpapi so that http always means net/http.
//
// # What it is and is not
//
// It reads requests strictly, asks a Node, and writes what the Node says. It holds no job and decides nothing about one: the
// rules live in actors/job, and every answer is as fresh as the Node's. Node is declared here, by its consumer.
//
// # Order of a request
//
//	exchange   request id, access log, metrics; hands its writer on with Unwrap, so that deadlines and flushes reach the connection
//	recover    a panic becomes a 500, the server lives
//	guard      security headers, Host check when there are no tokens, listed origins, cross-origin check of unsafe methods
//	router     gorilla/mux; unknown routes and methods are problems like all others
//	admit      bearer token or session, unless the route is open; a stream token or ticket where the route says so
//	handler    returns an error or writes an answer, never both; one table turns errors into problems
//
// # Bounds
//
// Each bound has a name in limits.go and answers with a problem: 413 for a body that is too large, 429 for too many streams, 503 with
// Retry-After for what will pass.
//
// # Who may see what
//
// A token opens everything; so does a session, which is a cookie that was signed for a token's bearer. A stream token and a
// ticket open the jobs of their topics, on the routes that are marked so in the table, and on no other: what has an {id} in its path is held to
// them before its handler is called, and a job that they do not show looks like one that does not exist. What is signed carries what it is
// for, so that none passes for another, and any node can check it; only "was used" and "was ended" are kept (Config.Once).
//
// A stream ends with what it was opened by, and is checked again at every return, so at least every StreamLimits.MaxAge.
//
// # Streams
//
// A stream is one Watching of the Node written out as frames. Its handler's goroutine is the only one that writes to its
// connection, each write under a deadline of its own, so that a stalled reader stalls nobody else.
//
// The id of a frame is EPOCH-N and says "everything up to N was sent", N being a number of the broadcaster EPOCH: a client that
// comes back with it to the same node gets what is newer. It is opaque to clients. Until "ready" N is 0, or what the client came with: before
// the snapshot is complete there is nothing to go on from.
//
// A stream of one job has ids EPOCH-N-REV: REV is the version of the job that the client has seen. EventSource comes back
// even after the end, and sends nothing but the id; from REV any node, also one with another epoch, knows that the end was
// seen, and answers 204, which is the only thing that keeps an EventSource away.
//
// A stream of a job's log or output is append-only, and so apart from those: its ids are the seqs of its lines, which no later
// attempt repeats, and every node can go on after any of them.
package httpapi
