// Package redis keeps the inbox and carries the bus on a Redis server, version 7.0 or later.
//
// # Layout
//
// Every key of a queue carries the queue's name as its hash tag, and every script touches the keys of one queue only, so
// that queues can live on different nodes of a Redis Cluster. For a queue q, each name behind the configured prefix:
//
//	jobs:{q}              HASH  id -> header (life, priority) and envelope: what never changes within a life
//	meta:{q}              HASH  id -> state|token|node|priority|crashes: what does; absent while a job is new. Of a parked job the
//	                            name under which it is takes the place of the node
//	inbox:{q}:0 to :3     LISTs of the ids that wait, by priority
//	leases:{q}            ZSET  of the ids that are leased, by the end of the lease (microseconds)
//	delayed:{q}           ZSET  of the ids that are delayed, by due time (milliseconds)
//	cancels:{q}           SET   of the ids whose cancellation was requested
//	dead:{q}              ZSET  of the ids of dead letters, by the time they became so; the newest DeadLetters of them
//	ghosts:{q}            HASH  priority and id -> how many elements of that list stand for no job any more
//	parked:{q}            ZSET  of the jobs that are parked, as "name|priority" and id, all of one score: so it is in order by these
//	cut:{q}               there for as long as a claim that its limit cut is remembered
//	claim:{q}:<node>      the nonce and deadline of the node's last claim, so that a claim can be repeated
//	idem:{q}:<n>:<scope>:<key>  the job that a client's idempotency key binds; n is the length of the scope
//
// and beside the queues:
//
//	job:<id>              the job's state as JSON, and the channel on which each change of it is announced
//	generation            a random text that names this memory
//	events, wake          channels between nodes; on a Cluster jobs:{p..} take the place of events
//
// and of the nodes, all in one slot:
//
//	members:{nodes}       HASH  name -> what the member is (JSON)
//	terms:{nodes}         HASH  name -> silence (microseconds)|1 if its presence was heard|incarnation|address
//	seen:{nodes}          ZSET  of the members by their last beat (microseconds)
//	silent:{nodes}        ZSET  of the members by when they will have been silent for too long (microseconds)
//	fallen:{nodes}        ZSET  of those declared dead, by when (microseconds); last:{nodes} HASH what each was
//	buried:{nodes}        ZSET  of those whose leases have been ended, by when, for a day
//	words:{nodes}         HASH  drain:<name>, back:<name>, late:<name>: who asked it to drain, which beat returned from the dead, since
//	                      when it has been noticed as silent for too long
//	roll:{nodes}          HASH  epoch, last beat of anybody, since when the list has been well, run id of the server
//	presence:{nodes}:<n>  the channel on which nothing is said: that the node hears it is that its process is there
//
// job:<id>, the key and the channel, is a public contract; the rest is this package's own.
//
// # What holds
//
// A job is known if and only if jobs:{q} has it. Its state is the first letter of its meta: W waits, P waits and is parked, D is delayed, L is
// leased, and no meta is a new job that waits. A waiting job has one element in a list, but a parked one, which has its member in
// parked:{q} instead, and that goes with it. When a job is removed, or
// replaced by its next life, while it waits, the element stays, for a list can't be searched cheaply: it is counted as a
// ghost. Of equal elements in one list the ghosts stand in front, because a job's return to the front is that of a
// job claimed from that list after them; so the claim that pops one knows it and drops it. Should an element ever stand
// for a job that does not wait, it is dropped, too: none can lease a job twice.
//
// The fence of a lease is the meta's beginning, "L|token|node|", compared as text.
//
// # Repeating
//
// Every script may run again after its reply was lost, and the client does so once by itself: enqueue knows the job and
// its key, claim answers the same jobs again by its nonce, renew and settle compare the fence, and the others find
// nothing left to do. Publishing twice says the same twice; receivers drop what they have heard.
//
// # Coming late
//
// What a node has sent may reach the server long after: it was stopped between a commit and its telling, or the network held the
// bytes back. Nothing that comes late goes back in time: claims and leases are fenced by token and node, and job:<id> and what is said of
// it by the state's version, which the script advance compares with the one that is there. A connection that is given up is
// reset, so that what it has not delivered is dropped; without that a claim or an enqueue whose caller has long been told that it failed
// could still be made.
//
// # Cluster
//
// On a Redis Cluster every queue lies on one master, as its hash tag has it, and what belongs to no queue is divided into 64
// partitions with hash tags of their own: jobs:{p00} to jobs:{p63} are the sharded channels between nodes, generation:{p..}
// the random texts. A batch of states is no transaction there, for job:<id> of many jobs lies in many slots: their names are the public
// contract, and have no hash tag in common.
//
// # Limits
//
// One server, its replicas behind a stable address, a proxy, or a Cluster: the client does not speak Sentinel.
package redis
