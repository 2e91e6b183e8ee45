// Package kubernetes keeps the list of a cluster's nodes in the Kubernetes API, as Lease objects (coordination.k8s.io/v1), for
// those who would rather have their nodes judged by the API server than by Redis. It speaks plain HTTP with the
// service account that Kubernetes mounts into the pod.
//
// # Objects
//
// Each member is one Lease in the pod's namespace, "troupe-" and a digest of its group and name, with the labels troupe-members (the group) and
// troupe-state (alive or fallen). Its spec names the holder, renewTime is its last beat and leaseDurationSeconds how long it may be silent. What a
// member tells of itself is in annotations. One more Lease, the roll, holds nothing: it is touched whenever a member comes, goes,
// falls or becomes another, and its resourceVersion is the epoch.
//
// The service account needs the verbs get, list, create, update, patch and delete on leases.coordination.k8s.io in its namespace.
//
// # Death
//
// No clock decides. A member is dead for whoever has seen its object unchanged, in readings of its own, for as long as the
// member may be silent by the reader's monotonic clock, while the API answered the reader's every beat. To declare it so is an update with the
// resourceVersion that was read: if the member has beaten meanwhile, the server refuses it. The renewTime is the API
// server's time as its answers' Date headers tell it, for people to read.
//
// Three members, by a hash of their names, read the list every second; the others every second in ten members, at most every 30 s. So a
// death is noticed a second or two after the silence has passed, and within 30 s more if those three died together.
//
// # Cost
//
// A beat is an update of the own object and a reading of the roll, at most once a second: what is asked more often is answered from the last one.
// Every change of the list is a listing by every node, of some 1.5 KB a member. That is nothing for tens of nodes and
// much for many hundreds: the list in Redis suits those better.
//
// # What this was tested against
//
// There was no Kubernetes where this was written. Its tests run against a small server of their own that keeps to what the API's documents
// say of these objects: optimistic concurrency by resourceVersion, AlreadyExists, Conflict, NotFound, label selectors, pages and
// their expiry (410), merge patches, preconditions of deletions, and unchanged writes that make no new version.
// Try it in your cluster before you rely on it.
package kubernetes
