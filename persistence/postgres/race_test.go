package postgres

import (
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// TestClaimOvertakesSubmission has one node write the claims of jobs while the other is still writing that they were
// submitted: the claim is in force whoever comes first, and the submission is in the history or refused.
func TestClaimOvertakesSubmission(t *testing.T) {
	const rounds, jobs = 60, 20
	s := open(t, Config{})
	late := 0
	for range rounds {
		var submissions, claims []persistence.Write
		for range jobs {
			first := submitted(newJob())
			submissions = append(submissions, first)
			claims = append(claims, after(t, first.Job, job.Claimed{Token: 1, Node: "n"}))
		}
		var accepted, claimed []persistence.Outcome
		var nodes errgroup.Group
		nodes.Go(func() (err error) {
			accepted, err = s.Commit(t.Context(), submissions)
			return err
		})
		nodes.Go(func() (err error) {
			claimed, err = s.Commit(t.Context(), claims)
			return err
		})
		if err := nodes.Wait(); err != nil {
			t.Fatal(err)
		}
		for i := range jobs {
			if !claimed[i].Applied {
				t.Fatalf("the claim of job %s was refused: the row was under %+v", claims[i].Job.ID, claimed[i].Current)
			}
			if got := mustGet(t, s, claims[i].Job.ID).Job; got.Status != job.Processing {
				t.Fatalf("job %s is %s", got.ID, got.Status)
			}
			if !accepted[i].Applied {
				late++
			}
		}
	}
	t.Logf("%d of %d submissions came too late", late, rounds*jobs)
}
