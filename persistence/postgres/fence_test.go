package postgres

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// TestFenceIsTheContracts compares both statements with the rule as Go states it, over random pairs of neighbours.
func TestFenceIsTheContracts(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	random := func(j job.Job) job.Job {
		j.Life, j.Status = 1+r.IntN(3), job.Statuses[r.IntN(len(job.Statuses))]
		j.Token, j.Rev, j.Node = int64(r.IntN(3)), 1+int64(r.IntN(3)), []string{"a", "b"}[r.IntN(2)]
		j.Finished = time.Time{}
		if j.Status.Terminal() {
			j.Finished = j.Updated
		}
		return j
	}
	s := open(t, Config{})
	for range 4 {
		var rows, writes []persistence.Write
		for range 500 {
			j := newJob()
			rows = append(rows, persistence.Write{Job: random(j)})
			w := persistence.Write{Job: random(j)}
			if r.IntN(2) == 0 { // taken for a job's first write, and so upserted at once
				w.History = []job.Transition{{Rev: 1, At: j.Created, Event: "Submitted", Status: job.Queued, Life: 1}}
			}
			writes = append(writes, w)
		}
		mustCommit(t, s, rows...)
		outcomes, err := s.Commit(t.Context(), writes)
		if err != nil {
			t.Fatal(err)
		}
		for i := range writes {
			row, write := persistence.FenceOf(&rows[i].Job), persistence.FenceOf(&writes[i].Job)
			want := persistence.Outcome{Applied: true}
			if !row.Admits(write) && row != write {
				want = persistence.Outcome{Current: row}
			}
			if outcomes[i] != want {
				t.Fatalf("row %+v, write %+v: got %+v, want %+v", row, write, outcomes[i], want)
			}
		}
		again, err := s.Commit(t.Context(), writes)
		if err != nil {
			t.Fatal(err)
		}
		for i := range writes {
			if again[i] != outcomes[i] {
				t.Fatalf("repeated write %+v: got %+v, at first %+v", persistence.FenceOf(&writes[i].Job), again[i], outcomes[i])
			}
		}
	}
}
