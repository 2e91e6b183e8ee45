//go:build unix

package cluster_test

import (
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/actors/cluster"
)

func TestThreeNodesAskEachOther(t *testing.T) {
	a, b, c := start(t, setting{Node: "a"}), start(t, setting{Node: "b"}), start(t, setting{Node: "c"})
	if got := a.ask("b", "early"); !got.Unavailable || got.Took > 100*time.Millisecond {
		t.Errorf("before it knows anybody: %+v", got)
	}
	know(a, b, c)
	for _, p := range []*remote{a, b, c} {
		for _, other := range []*remote{a, b, c} {
			if p != other {
				p.says(other, "hello")
			}
		}
	}
	if got := a.ask("b", "missing"); !got.NotFound {
		t.Errorf("an error that is known at both ends: %+v", got)
	}
	if got := a.ask("b", "panic"); got.Error == "" || got.Unavailable || got.Took > time.Second {
		t.Errorf("a panic: %+v", got)
	}
	if got := a.ask("d", "hello"); !got.Unavailable || got.Took > 100*time.Millisecond {
		t.Errorf("nobody of this name: %+v", got)
	}
	for _, p := range []*remote{a, b, c} {
		p.Quit()
	}
}

func TestSizesAreBounded(t *testing.T) {
	a, b := start(t, setting{Node: "a"}), start(t, setting{Node: "b"})
	know(a, b)
	if got := a.do(order{Do: "ask", Node: "b", Size: cluster.MaxBody}); got.Error != "" || got.Size != cluster.MaxBody {
		t.Errorf("the largest request: %+v", got)
	}
	if got := a.do(order{Do: "ask", Node: "b", Size: cluster.MaxBody + 1}); !got.Invalid {
		t.Errorf("a larger one: %+v", got)
	}
	if got := a.ask("b", "huge"); !got.Invalid {
		t.Errorf("a larger answer: %+v", got)
	}
	if got := a.do(order{Do: "burst", Node: "b", Size: cluster.MaxBody, Times: 500, At: 60, Within: time.Minute}); got.Failed > 0 {
		t.Errorf("500 of the largest requests: %+v", got)
	}
	a.says(b, "still there?")
	a.Quit()
	b.Quit()
}
