package job

import (
	"encoding/json"
	"testing"
	"time"
)

// One job's way through a node, claimed and ended: two events.
func BenchmarkApply(b *testing.B) {
	fresh := New(sampleSpec(), noon)
	now := time.Now()
	live := func() error {
		running, _, err := fresh.Apply(Claimed{Token: 1, Node: "node-a"}, now)
		if err != nil {
			return err
		}
		_, _, err = running.Apply(Succeeded{}, now)
		return err
	}
	b.Run("warm", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := live(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("small stack", func(b *testing.B) { // as in a goroutine that has just begun
		b.ReportAllocs()
		done := make(chan error)
		for b.Loop() {
			go func() { done <- live() }()
			if err := <-done; err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("refused", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, _, err := fresh.Apply(Succeeded{}, now); err == nil {
				b.Fatal("a waiting job succeeded")
			}
		}
	})
}

func BenchmarkEncodeEnvelope(b *testing.B) {
	j := New(sampleSpec(), noon)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := EncodeEnvelope(&j); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeEnvelope(b *testing.B) {
	j := New(sampleSpec(), noon)
	data, err := EncodeEnvelope(&j)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeEnvelope(data); err != nil {
			b.Fatal(err)
		}
	}
}

// The view of a job that has just completed, as it is published.
func BenchmarkView(b *testing.B) {
	j := New(sampleSpec(), noon)
	j.Status, j.Token, j.Rev, j.Node, j.Attempt, j.Progress.Percent = Completed, 1, RevsPerToken+2, "node-a", 1, 100
	j.Started, j.Updated, j.Finished = noon.Add(time.Millisecond), noon.Add(3*time.Millisecond), noon.Add(3*time.Millisecond)
	b.Run("marshal", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			view := j.View()
			if _, err := json.Marshal(&view); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("append", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			view := j.View()
			if _, err := view.AppendJSON(nil); err != nil {
				b.Fatal(err)
			}
		}
	})
}
