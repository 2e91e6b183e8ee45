package storetest

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/google/go-cmp/cmp"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// heardByJob is what deliveries bring: the states of each job in their order, and the signals in any.
type heardByJob struct {
	States  map[job.ID][]string
	Signals []string
	Count   int
}

func byJob(deliveries []persistence.Delivery) heardByJob {
	h := heardByJob{States: map[job.ID][]string{}}
	for _, d := range deliveries {
		for _, text := range d.States {
			var state struct {
				ID job.ID `json:"id"`
			}
			_ = json.Unmarshal(text, &state) // what the suite publishes has one
			h.States[state.ID] = append(h.States[state.ID], string(text))
			h.Count++
		}
		if d.Signal != nil {
			text, _ := json.Marshal(d.Signal)
			h.Signals = append(h.Signals, string(text))
			h.Count++
		}
	}
	slices.Sort(h.Signals)
	return h
}

func (t *busTest) wantHeardByJob(e *ear, want []persistence.Delivery) {
	t.Helper()
	expected := byJob(want)
	eventually(t, fmt.Sprintf("%d states and signals are heard", expected.Count), func() bool { return byJob(e.all()).Count >= expected.Count })
	if diff := cmp.Diff(expected, byJob(e.all())); diff != "" {
		t.Errorf("heard (-want +got):\n%s", diff)
	}
}
