// Package cluster carries commands between nodes: a node asks another one by name and gets its answer. It is built on protoactor's
// remote and cluster, and is their only home.
//
// It decides nothing. Who lives is told to it by Update, from persistence.Members; who holds a job is the Inbox's word. A command that
// does not arrive has a durable way elsewhere, so an error here is an answer like any other, and comes fast.
//
// The library has an actor system of its own here, apart from the node's job actors, in which a peer can address exactly one process: the
// desk. All that comes from a stream passes a filter first, which lets through one type of message for that one process: no system
// message, no spawn, no gossip, no watch. The library's virtual actors, gossip and pub-sub are not used and kept silent.
//
// Who does not know the secret can do nothing. Each stream begins with a proof of it, from both ends, bound to both addresses, the time, a
// number used once and, with TLS, the very connection. With certificates both ends show one of the same authority; any certificate
// of that authority is a node's, whatever host it names, so the authority should sign for nothing else. Without
// them only loopback addresses may be listened on, as nothing is encrypted then.
package cluster
