package sqlite

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// TestParkedJobsOutliveTheProcess counts them again when the file is opened: no table has their numbers.
func TestParkedJobsOutliveTheProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "troupe.db")
	use := func(work func(in persistence.Inbox)) {
		t.Helper()
		db, err := Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		work(db.Inbox())
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	depth := func(in persistence.Inbox, want persistence.Depth) {
		t.Helper()
		got, err := in.Depth(t.Context(), "films")
		got.Oldest = time.Time{}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("depth (%v; -want +got):\n%s", err, diff)
		}
	}
	use(func(in persistence.Inbox) {
		if _, err := in.Enqueue(t.Context(), "films", []persistence.Entry{{ID: job.ID{1}, Life: 1}, {ID: job.ID{2}, Life: 1}, {ID: job.ID{3}, Life: 1}}); err != nil {
			t.Fatal(err)
		}
		claims, err := in.Claim(t.Context(), "films", "node", persistence.Ask{Max: 2, Lease: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range claims {
			parking := persistence.Settlement{Lease: persistence.Lease{ID: c.ID, Token: c.Token, Node: "node"}, Verb: persistence.Park, For: "render"}
			if done, err := in.Settle(t.Context(), "films", []persistence.Settlement{parking}); err != nil || !done[0] {
				t.Fatalf("parked: %v (%v)", done, err)
			}
		}
	})
	parked := persistence.Depth{Waiting: 3, Parked: map[string]int64{"render": 2}}
	use(func(in persistence.Inbox) { depth(in, parked) })
	use(func(in persistence.Inbox) {
		depth(in, parked)
		claims, err := in.Claim(t.Context(), "films", "next", persistence.Ask{Max: 9, Lease: time.Hour, Can: []string{"render"}})
		if err != nil || len(claims) != 3 || claims[0].ID != (job.ID{1}) || claims[0].Token != 2 {
			t.Errorf("claimed %+v (%v)", claims, err)
		}
		depth(in, persistence.Depth{Leased: 3})
	})
}
