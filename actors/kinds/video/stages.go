package video

import (
	"log/slog"
	"math"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// stage is one part of the work and its weight: its share of the time that the whole usually takes.
type stage struct {
	name   string
	weight float64
}

// stages tells a job's progress. It is used by one goroutine at a time.
type stages struct {
	hold    hold
	plan    []stage
	at      int // index of the stage under way; -1 before the first
	total   float64
	percent float64
	began   time.Time // of the stage under way
}

func planned(h hold, withPicture bool) *stages {
	plan := []stage{{"compose", 8}, {"render", 80}, {"store", 4}}
	if withPicture {
		plan = append([]stage{{"fetch", 8}}, plan...)
	}
	s := &stages{hold: h, plan: plan, at: -1}
	for _, p := range plan {
		s.total += p.weight
	}
	return s
}

func (s *stages) name() string { return s.plan[max(s.at, 0)].name }

// next begins the next stage.
func (s *stages) next(note string) {
	s.at++
	s.began = time.Now()
	s.hold.Log(slog.LevelInfo, s.name()+": "+note)
	s.tell(0, note)
}

// tell says what part of the stage, 0 to 1, is done.
func (s *stages) tell(part float64, note string) {
	before := 0.0
	for _, p := range s.plan[:s.at] {
		before += p.weight
	}
	done := (before + s.plan[s.at].weight*min(max(part, 0), 1)) / s.total
	s.percent = max(s.percent, math.Floor(done*1000)/10)
	p := job.Progress{Percent: s.percent, Stage: s.name(), StageIndex: s.at + 1, StageCount: len(s.plan), Note: note}
	// the stage's own pace says how long the rest of it takes; the later ones are taken in proportion
	if elapsed := time.Since(s.began); part > 0.03 && elapsed > 200*time.Millisecond {
		whole := elapsed.Seconds() / part
		later := 0.0
		for _, q := range s.plan[s.at+1:] {
			later += q.weight
		}
		left := whole*(1-part) + whole*later/s.plan[s.at].weight
		if s.name() == "render" || s.name() == "store" {
			p.ETA = job.Duration(time.Duration(left * float64(time.Second)).Round(100 * time.Millisecond))
		}
	}
	s.hold.Progress(p)
}

// done ends the last stage.
func (s *stages) done(note string) {
	s.percent = 100
	s.hold.Progress(job.Progress{Percent: 100, Stage: s.name(), StageIndex: s.at + 1, StageCount: len(s.plan), Note: note})
}
