// Package storetest is the conformance suite of the persistence contracts: the one that every driver runs, so that drivers
// differ in technology and in nothing else.
//
//	func TestInbox(t *testing.T) { storetest.Inbox(t, open) }
//
// Each sentence of a contract has a subtest of its name. Beyond those, an Inbox is driven in lock step with a model of it, and
// a Store is audited against Fence.Admits and job.Apply, both under random commands. A failure prints its seed.
//
// Where a contract leaves a choice, the suite takes any answer: it holds drivers to what is written and to nothing more. Its
// readings of what is written between the lines are in the names of the subtests.
//
// Nothing here sleeps to let time pass: leases end because they are short, and the suite asks until they have.
package storetest
