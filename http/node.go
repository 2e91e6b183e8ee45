package httpapi

import (
	"context"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// Node is what the interface needs of the node that it speaks for. All methods may be called at once; their errors wrap the
// values that the error table knows.
type Node interface {
	Submitter
	Reader
	Operator
	QueueKeeper
	Watcher
	LineReader
	Inspector

	// Ready says whether the node can take work now: one text per check, "ok" where nothing is wrong.
	Ready(ctx context.Context) (checks map[string]string, ok bool)
}

// Submitter accepts jobs.
type Submitter interface {
	// Submit returns when the job is as durable as its queue promises.
	Submit(ctx context.Context, s actors.Submission) (actors.Accepted, error)
	// SubmitAll answers each submission in its own slot: an acceptance, or an error.
	SubmitAll(ctx context.Context, all []actors.Submission) ([]actors.Accepted, []error)
}

// Reader reads jobs, always fresh.
type Reader interface {
	Get(ctx context.Context, id job.ID) (job.Job, error)
	List(ctx context.Context, q persistence.Query) (persistence.Page, error)
	DeadGroups(ctx context.Context, q persistence.Query) (persistence.Groups, error)
	History(ctx context.Context, id job.ID) ([]job.Transition, error)
	// Waiting says why a job waits; its reason is none if it does not.
	Waiting(ctx context.Context, id job.ID) (actors.Waiting, error)
	// OpenArtifact opens a file of the job's; the caller closes it.
	OpenArtifact(ctx context.Context, id job.ID, name string) (job.Artifact, persistence.ArtifactFile, error)
}

// Operator changes jobs on behalf of a person or program named by.
type Operator interface {
	// Cancel answers once the request is durable; *actors.TooLateError if the job had ended otherwise.
	Cancel(ctx context.Context, id job.ID, by, reason string) (job.Job, error)
	// AwaitEnd waits until a job has ended or the context has, and answers it as it is then.
	AwaitEnd(ctx context.Context, id job.ID) (job.Job, error)
	// Retry hastens a job that waits, and redrives one that failed or was cancelled.
	Retry(ctx context.Context, id job.ID, by string) (job.Job, error)
	Delete(ctx context.Context, id job.ID) error
	RedriveDead(ctx context.Context, q persistence.Query, by string, dryRun bool) (actors.Bulk, error)
	PurgeDead(ctx context.Context, q persistence.Query, dryRun bool) (actors.Bulk, error)
}

// QueueKeeper shows and sets queues.
type QueueKeeper interface {
	Queues(ctx context.Context) ([]actors.QueueState, error)
	SetQueue(ctx context.Context, name string, change func(*persistence.QueueSettings)) (actors.QueueState, error)
}

// Inspector shows nodes, and what lives on them.
type Inspector interface {
	// Nodes are this node and those that live or have just fallen.
	Nodes(ctx context.Context) []actors.NodeInfo
	// ActorsOf asks a node, this one if it has no name, what lives there; with a job only that one's actor is among the jobs.
	ActorsOf(ctx context.Context, node string, only job.ID) (actors.ActorTree, error)
	// DrainNode asks a node to end in order, and says by which way it was asked.
	DrainNode(ctx context.Context, node, by string) (actors.DrainWay, error)
}

// LineReader shows what handlers say.
type LineReader interface {
	Lines(ctx context.Context, q persistence.LineQuery) (persistence.LinePage, error)
	FollowLines(ctx context.Context, q persistence.LineQuery) (actors.LineFollowing, error)
}

// Watcher opens streams.
type Watcher interface {
	Watch(ctx context.Context, req actors.WatchRequest) (actors.Watching, error)
}
