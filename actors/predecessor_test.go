package actors_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
)

// What went wrong in the queue that this one replaces, and the test that shows it can't happen here:
//
//	a failed attempt is published as a final failure, then retried       TestFailedAttemptIsNeverShownAsTheEnd
//	a blink of Redis marks a finished job failed and runs it again       TestInboxDownClosesTheDoorAndRunningJobsSettleAfter
//	a job that kills its worker stays "processing" for ever              TestJobThatKillsItsNodesIsADeadLetterWithThatReason
//	the dead-letter queue is filled by a listener, and misses some       TestFailingJobIsRetriedWithGrowingWaitsThenDeadThenRedriven
//	a worker that lost its lock overwrites the end                       TestZombieChangesNothing
//	ids begin anew after a flush and overwrite other people's rows       TestIdsAreNewAfterTheInboxWasEmptied
//	a client that retries makes a second, paid job                       TestSameKeyIsOneJobAlsoAtOnceAndAfterFailure
//	keys without a TTL, messages without a version                       TestPublishedStatesExpireAndAreNumbered
//	a queued job is not in the database                                  TestAcceptedJobIsInTheStoreWithinAMomentOfItsAnswer
//	progress falls back, old errors stay, ends have no time              TestProgressErrorAndTimesTellTheTruth
//	no timeout, no cancel, no drain, no validation                       TestTimeoutEndsTheAttempt, TestRunningJobIsAskedToStop,
//	                                                                     TestDrainHandsBackWithoutSpendingAnAttempt, TestBadSubmissionsAreRefusedByName
//	errors of the database are swallowed, or cost an attempt             TestStoreDownLosesNoAcceptedJobAndKillsNoHandler

func TestFailedAttemptIsNeverShownAsTheEnd(t *testing.T) {
	n := embedded(t).start(t, map[string]actors.Handler{"third": func(_ context.Context, j *actors.Job) error {
		if j.Attempt() < 3 {
			return errors.New("not yet")
		}
		return nil
	}})
	id := n.submit("third", nil, func(s *actors.Submission) { s.RunAt = time.Now().Add(200 * time.Millisecond) })
	w, err := n.Watch(t.Context(), actors.WatchRequest{Topics: []actors.Topic{{Kind: actors.TopicJob, Value: id.String()}}})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	var shown []job.Status
	for ended := false; !ended; {
		batch, err := w.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range batch.Updates {
			shown = append(shown, u.View.Status)
		}
		ended = batch.End != ""
	}
	retrying := 0
	for i, s := range shown {
		if s == job.Retrying {
			retrying++
		}
		if s.Terminal() && (i < len(shown)-1 || s != job.Completed) {
			t.Errorf("shown as %s in between: %v", s, shown)
		}
	}
	if retrying == 0 || shown[len(shown)-1] != job.Completed {
		t.Errorf("shown %v", shown)
	}
}

func TestIdsAreNewAfterTheInboxWasEmptied(t *testing.T) {
	s := onServers(t)
	n := s.start(t, noop)
	before := n.submit("noop", nil)
	first := n.await(before, job.Completed)
	flush(t, s.redis.URL)
	after := n.submit("noop", nil)
	n.await(after, job.Completed)
	if before == after {
		t.Fatal("an id was given out twice")
	}
	if again := n.await(before, job.Completed); again.Rev != first.Rev || !again.Finished.Equal(first.Finished) {
		t.Errorf("the earlier job's row was %+v and is %+v", first, again)
	}
}

func TestPublishedStatesExpireAndAreNumbered(t *testing.T) {
	s := onServers(t)
	n := s.start(t, map[string]actors.Handler{"steps": func(_ context.Context, j *actors.Job) error {
		for i := range 5 {
			j.Progress(job.Progress{Percent: float64(20 * i)})
			time.Sleep(120 * time.Millisecond)
		}
		return nil
	}})
	options, err := goredis.ParseURL(s.redis.URL)
	if err != nil {
		t.Fatal(err)
	}
	client := goredis.NewClient(options)
	defer client.Close()
	id := n.submit("steps", nil, func(s *actors.Submission) { s.RunAt = time.Now().Add(300 * time.Millisecond) })
	key := "job:" + id.String()
	channel := client.Subscribe(t.Context(), key)
	defer channel.Close()
	var last job.View
	for message := range channel.Channel() {
		var view job.View
		if err := json.Unmarshal([]byte(message.Payload), &view); err != nil {
			t.Fatal(err)
		}
		if view.Version <= last.Version || view.Progress < last.Progress {
			t.Errorf("after version %d at %g %% came %d at %g %%", last.Version, last.Progress, view.Version, view.Progress)
		}
		if last = view; view.Terminal {
			break
		}
	}
	ttl, err := client.TTL(t.Context(), key).Result()
	if err != nil || ttl <= 0 {
		t.Errorf("%s expires in %s, %v", key, ttl, err)
	}
	text, err := client.Get(t.Context(), key).Result()
	if err != nil {
		t.Fatal(err)
	}
	var kept struct {
		Status   string
		Progress float64
	}
	if err := json.Unmarshal([]byte(text), &kept); err != nil || kept.Status != "completed" || kept.Progress != 100 {
		t.Errorf("%s holds %s, %v", key, text, err)
	}
}

func TestProgressErrorAndTimesTellTheTruth(t *testing.T) {
	n := embedded(t).start(t, map[string]actors.Handler{"twice": func(_ context.Context, j *actors.Job) error {
		if j.Attempt() == 1 {
			j.Progress(job.Progress{Percent: 90})
			return errors.New("at the very end")
		}
		j.Progress(job.Progress{Percent: 10})
		time.Sleep(50 * time.Millisecond)
		return nil
	}})
	id := n.submit("twice", nil)
	w, err := n.Watch(t.Context(), actors.WatchRequest{Topics: []actors.Topic{{Kind: actors.TopicJob, Value: id.String()}}})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for percent, ended := 0.0, false; !ended; {
		batch, err := w.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range batch.Updates {
			if u.View.Progress < percent {
				t.Errorf("progress fell from %g to %g", percent, u.View.Progress)
			}
			percent = u.View.Progress
		}
		ended = batch.End != ""
	}
	j := n.await(id, job.Completed)
	if j.Failure != nil || j.Finished.IsZero() || j.Attempt != 2 {
		t.Errorf("completed as %+v", j)
	}
	history, err := n.History(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	kept := false
	for _, h := range history {
		kept = kept || h.Failure != nil && h.Failure.Message == "at the very end"
	}
	if !kept {
		t.Error("the history has lost the first attempt's error")
	}
}
