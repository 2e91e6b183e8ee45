// Package job is the pure core: what a job is, which events may befall it, and what each event makes of it.
//
// It does no I/O, reads no clock and rolls no dice: a time and a jitter come in as values, so that every rule can be
// tested on its own and every driver can be audited against it. It imports the standard library only.
//
// # States
//
// A job is always in one status. An event moves it along one of these edges, and Apply refuses every other pair of
// status and event. The list is checked against the code by a test.
//
//	scheduled  -- Claimed         --> processing, failed, cancelled
//	scheduled  -- CancelRequested --> cancelled
//	scheduled  -- Hastened        --> queued
//	queued     -- Claimed         --> processing, failed, cancelled
//	queued     -- CancelRequested --> cancelled
//	processing -- Claimed         --> processing, failed, cancelled
//	processing -- Progressed      --> processing
//	processing -- Checkpointed    --> processing
//	processing -- ArtifactStored  --> processing
//	processing -- CancelRequested --> cancelling
//	processing -- Succeeded       --> completed
//	processing -- AttemptFailed   --> retrying, failed
//	processing -- Snoozed         --> scheduled
//	processing -- Released        --> queued
//	retrying   -- Claimed         --> processing, failed, cancelled
//	retrying   -- CancelRequested --> cancelled
//	retrying   -- Hastened        --> queued
//	cancelling -- Claimed         --> cancelled
//	cancelling -- Progressed      --> cancelling
//	cancelling -- Checkpointed    --> cancelling
//	cancelling -- ArtifactStored  --> cancelling
//	cancelling -- Succeeded       --> completed
//	cancelling -- AttemptFailed   --> cancelled
//	cancelling -- Snoozed         --> cancelled
//	cancelling -- Released        --> cancelled
//	failed     -- Redriven        --> queued
//	cancelled  -- Redriven        --> queued
//
// A claim of a job that already processes is how a node takes over from one that died: the inbox gives a job out again
// only when the lease of its holder has ended.
//
// # Cancel
//
// A request to cancel is requested, until the job ends; then it was confirmed, if the job ended as cancelled, or came too late.
// Which of these it is follows from the status and from Job.Cancel:
//
//	status                                        nobody asked  somebody asked
//	scheduled, queued, processing, retrying       -             requested
//	cancelling                                    requested     requested
//	completed, failed                             -             too_late
//	cancelled                                     confirmed     confirmed
//
// A Store keeps word of a request on the row before anybody can act on it, so that a claim finds it after any crash: a claim of a job
// that somebody asked to cancel cancels it. Only a redrive clears a request.
//
// # Order
//
// Two numbers order everything that is ever said of a job. Token grows with each claim and fences its holder: who
// holds a smaller one has lost the job, whether it knows or not. Rev grows with every change; it is Token times a
// million plus the number of changes under that token, an end counting twice, so that a successor's first word is newer than its
// predecessor's last, although the two never met.
//
// # Two counters
//
// Attempts counts what the job did wrong: its handler failed. Crashes counts what we did wrong: the node died or lost its
// lease. Neither spends the other, and each has its own bound.
package job
