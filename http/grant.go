package httpapi

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/mux"
	"golang.org/x/sync/errgroup"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// grant is what a stream token or a ticket lets its bearer see: the jobs of its topics, and nothing else.
type grant struct {
	id      string
	issuer  string // the principal that asked for it
	topics  []actors.Topic
	expires time.Time // zero for a ticket: it is spent already
}

func grantOf(c claims) (*grant, error) {
	g := &grant{id: c.ID, issuer: c.Subject, expires: c.ExpiresAt.Time}
	if len(c.Topics) == 0 || len(c.Topics) > maxGrantTopics || c.Subject != "" && !job.ValidName(c.Subject) {
		return nil, errForged
	}
	for _, said := range c.Topics {
		topic, err := actors.ParseTopic(said)
		if err != nil {
			return nil, errForged
		}
		g.topics = append(g.topics, topic)
	}
	return g, nil
}

// holder is whose streams are counted together under this grant: its owner's, or those of this one token. The issuer is
// mostly a server that hands tokens to many.
func (g *grant) holder() string {
	if len(g.topics) == 1 && g.topics[0].Kind == actors.TopicOwner {
		return g.issuer + " " + g.topics[0].String()
	}
	return g.issuer + " " + g.id
}

// covers says whether the topic is one of the grant's, or within "all".
func (g *grant) covers(t actors.Topic) bool {
	if slices.Contains(g.topics, t) {
		return true
	}
	switch t.Kind {
	case actors.TopicJob, actors.TopicOwner, actors.TopicQueue, actors.TopicBatch:
		return slices.Contains(g.topics, actors.Topic{Kind: actors.TopicAll})
	}
	return false
}

// shows says whether a job of these marks is within the grant.
func (g *grant) shows(id job.ID, owner, queue, batch string) bool {
	return slices.ContainsFunc(g.topics, func(t actors.Topic) bool {
		switch t.Kind {
		case actors.TopicAll:
			return true
		case actors.TopicJob:
			return strings.EqualFold(t.Value, id.String())
		case actors.TopicOwner:
			return t.Value == owner
		case actors.TopicQueue:
			return t.Value == queue
		case actors.TopicBatch:
			return t.Value == batch
		}
		return false
	})
}

func (g *grant) showsJob(j *job.Job) bool   { return g.shows(j.ID, j.Owner, j.Queue, j.Batch) }
func (g *grant) showsView(v *job.View) bool { return g.shows(v.ID, v.Owner, v.Queue, v.Batch) }

// admitJob holds a grant to the job in the path. A job that it does not show and one that does not exist get one answer.
func (h *Handler) admitJob(r *http.Request, g *grant) error {
	if _, ok := mux.Vars(r)["id"]; !ok {
		return nil
	}
	id, err := pathID(r)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), apiTimeout)
	defer cancel()
	j, err := h.node.Get(ctx, id)
	if err == nil && !g.showsJob(&j) || errors.Is(err, persistence.ErrNotFound) {
		return refuse("not_found", "there is no such job, or the token does not show it")
	}
	return err
}

// confine holds the request of a stream to the grant. A single job that is not named in the grant may still be within one of
// its topics; so may those that the client says it knows.
func (h *Handler) confine(ctx context.Context, req *actors.WatchRequest, g *grant) error {
	var single []job.ID
	for _, t := range req.Topics {
		if g.covers(t) {
			continue
		}
		id, err := job.ParseID(t.Value)
		if t.Kind != actors.TopicJob || err != nil {
			return refuse("forbidden", "the token does not cover the topic %s", t)
		}
		single = append(single, id)
	}
	if len(single) > maxPollIDs {
		return refuse("too_large", "%d jobs that the token does not name, at most %d", len(single), maxPollIDs)
	}
	req.Shows = g.showsView
	jobs, err := h.jobs(ctx, single)
	for i, j := range jobs {
		if j == nil || !g.showsJob(j) {
			return refuse("forbidden", "the token does not cover the topic job:%s", single[i])
		}
	}
	return err
}

// jobs reads jobs by their ids; nil where there is none.
func (h *Handler) jobs(ctx context.Context, ids []job.ID) ([]*job.Job, error) {
	jobs := make([]*job.Job, len(ids))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for i, id := range ids {
		group.Go(func() error {
			j, err := h.node.Get(ctx, id)
			if err == nil {
				jobs[i] = &j
			} else if !errors.Is(err, persistence.ErrNotFound) {
				return err
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return jobs, nil
}
