package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

var fieldCases = []storeCase{
	{"every field of a job is kept exactly", func(t *storeTest) {
		jobs := make([]job.Job, 300)
		for i := range jobs {
			jobs[i] = RandomJob(t.rng)
		}
		t.put(jobs...)
		for i, r := range t.get(jobIDs(jobs)...) {
			t.want(fmt.Sprint("job ", i), r.Job, jobs[i])
		}
	}},
	{"every field changes with an event", func(t *storeTest) {
		for range 50 {
			j := RandomJobIn(t.rng, job.Processing)
			t.put(j)
			next := RandomJob(t.rng) // all that events can change
			next.ID, next.Life, next.Token, next.Node, next.Rev = j.ID, j.Life, j.Token+1, "other", (j.Token+1)*job.RevsPerToken+1
			next.Kind, next.Queue, next.Priority, next.Payload, next.Owner, next.Tags = j.Kind, j.Queue, j.Priority, j.Payload, j.Owner, j.Tags
			next.Group, next.Batch, next.Policy, next.Created = j.Group, j.Batch, j.Policy, j.Created
			t.put(next)
			t.wantJob(next)
		}
	}},
	{"JSON is kept to the byte", func(t *storeTest) {
		for _, text := range jsons {
			j := RandomJobIn(t.rng, job.Completed)
			j.Payload, j.Checkpoint, j.Result = json.RawMessage(text), json.RawMessage(text), json.RawMessage(text)
			t.put(j)
			t.wantJob(j)
		}
	}},
	{"the largest values are kept", func(t *storeTest) {
		j := RandomJobIn(t.rng, job.Failed)
		big := make([]byte, job.MaxPayload)
		for i := range big {
			big[i] = 'x'
		}
		big[0], big[len(big)-1] = '"', '"'
		j.Payload, j.Checkpoint, j.Result = big, big, big
		j.Token, j.Life = 1<<62/job.RevsPerToken, 1<<30
		j.Rev = j.Token*job.RevsPerToken + job.RevsPerToken - 1
		j.Failure = job.NewFailure(job.CodePanic, string(big)).WithStack(string(big))
		for len(j.Tags) < job.MaxTags {
			j.Tags = append(j.Tags, fmt.Sprint("tag", len(j.Tags)))
		}
		for len(j.Artifacts) < job.MaxArtifacts {
			j.Artifacts = append(j.Artifacts, job.Artifact{Name: fmt.Sprint("file", len(j.Artifacts)), Bytes: 1 << 62})
		}
		t.put(j)
		t.wantJob(j)
	}},
	{"every field of a line of history is kept exactly, oldest first", func(t *storeTest) {
		j := RandomJobIn(t.rng, job.Processing)
		w := persistence.Write{Job: j}
		for i := range 20 {
			line := RandomTransition(t.rng, &j)
			line.Rev = j.Rev - 20 + int64(i)
			w.History = append(w.History, line)
		}
		t.commit(w)
		t.want("history", t.history(j.ID), w.History)
		next := t.step(j, job.Claimed{Token: j.Token + 1, Node: "b"})
		t.commit(next)
		t.want("history", t.history(j.ID), append(w.History, next.History...))
	}},
	{"a write without a line of history is a write", func(t *storeTest) {
		j := t.submitted()
		t.put(j)
		j = t.apply(j, job.Claimed{Token: 1, Node: "a"})
		w := t.step(j, job.Progressed{Progress: job.Progress{Percent: 12.5, Note: "half of a quarter"}})
		t.want("outcome", t.commit(w), []persistence.Outcome{{Applied: true}})
		t.wantJob(w.Job)
		t.want("lines of history", len(t.history(j.ID)), 2)
	}},
	{"get answers in the order of the ids and leaves out what is not there", func(t *storeTest) {
		a, b, c := t.submitted(), t.submitted(), t.submitted()
		t.put(a, b, c)
		missing := NewID(t.rng, time.Now())
		t.want("ids", recordIDs(t.get(c.ID, missing, a.ID, b.ID)), []job.ID{c.ID, a.ID, b.ID})
		t.want("none", t.get(), []persistence.Record(nil))
		t.want("missing", t.get(missing), []persistence.Record(nil))
	}},
	{"the history of no job is not found", func(t *storeTest) {
		if lines, err := t.st.History(t.ctx, NewID(t.rng, time.Now())); !errors.Is(err, persistence.ErrNotFound) {
			t.Errorf("%d lines, %v, want ErrNotFound", len(lines), err)
		}
	}},
	{"an ended context ends every method", func(t *storeTest) {
		j := t.submitted()
		t.put(j)
		ctx, cancel := context.WithCancel(t.ctx)
		cancel()
		write, ids := []persistence.Write{t.step(j, job.Claimed{Token: 1, Node: "a"})}, []job.ID{j.ID}
		_, err := t.st.Commit(ctx, write)
		expectEnded(t.T, "Commit", err)
		_, err = t.st.Accept(ctx, []persistence.Write{first(t.submitted())})
		expectEnded(t.T, "Accept", err)
		_, err = t.st.Get(ctx, ids)
		expectEnded(t.T, "Get", err)
		_, err = t.st.List(ctx, persistence.Query{})
		expectEnded(t.T, "List", err)
		_, err = t.st.Live(ctx, job.ID{}, 10)
		expectEnded(t.T, "Live", err)
		_, err = t.st.History(ctx, j.ID)
		expectEnded(t.T, "History", err)
		_, err = t.st.RequestCancel(ctx, j.ID, job.Cancel{By: "ann"})
		expectEnded(t.T, "RequestCancel", err)
		_, err = t.st.FindKey(ctx, "", "k")
		expectEnded(t.T, "FindKey", err)
		_, err = t.st.Keys(ctx, persistence.BoundKey{}, 10)
		expectEnded(t.T, "Keys", err)
		_, err = t.st.Delete(ctx, ids)
		expectEnded(t.T, "Delete", err)
		_, err = t.st.Prune(ctx, time.Now(), 10)
		expectEnded(t.T, "Prune", err)
		_, err = t.st.Queues(ctx)
		expectEnded(t.T, "Queues", err)
		expectEnded(t.T, "SaveQueue", t.st.SaveQueue(ctx, persistence.QueueSettings{Name: "films"}))
		_, err = t.st.Incarnation(ctx)
		expectEnded(t.T, "Incarnation", err)
		expectEnded(t.T, "Ping", t.st.Ping(ctx))
		t.wantJob(j)
	}},
}
