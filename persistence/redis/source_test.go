package redis

import (
	"testing"
	"time"
)

func TestSourcesNoticeWhatIsMissed(t *testing.T) {
	start := time.Now()
	says := []struct {
		what  string
		kind  byte
		boot  string
		seq   uint64
		fresh bool
		gap   bool
	}{
		{"a stranger's first word", statesFrame, "a", 1, true, false},
		{"the next", signalFrame, "a", 2, true, false},
		{"that again", signalFrame, "a", 2, false, false},
		{"still there", tickFrame, "a", 2, false, false},
		{"one was missed", statesFrame, "a", 4, true, true},
		{"a late one", statesFrame, "a", 3, false, false},
		{"its last was missed", tickFrame, "a", 5, false, true},
		{"said once", tickFrame, "a", 5, false, false},
		{"a stranger who has said nothing", tickFrame, "b", 0, false, false},
		{"and begins", statesFrame, "b", 1, true, false},
		{"a stranger in mid-speech", statesFrame, "c", 7, true, true},
		{"a stranger who has spoken", tickFrame, "d", 7, false, true},
		{"one leaves, having said more", byeFrame, "c", 8, false, true},
		{"and is not missed", tickFrame, "a", 5, false, false},
	}
	s := sources{heard: make(map[string]*source)}
	for _, f := range says {
		fresh, gap := s.hear(&frame{kind: f.kind, boot: f.boot, node: "node-" + f.boot, seq: f.seq}, start)
		if fresh != f.fresh || gap != f.gap {
			t.Errorf("%s: fresh %v, gap %v", f.what, fresh, gap)
		}
	}
	if _, stays := s.heard["c"]; stays {
		t.Error("one that left is still waited for")
	}
	if nodes := s.silent(start.Add(silenceLimit)); len(nodes) != 0 {
		t.Errorf("silent too soon: %v", nodes)
	}
	if nodes := s.silent(start.Add(silenceLimit + 1)); len(nodes) != 3 || len(s.heard) != 0 {
		t.Errorf("silent: %v, want three", nodes)
	}
}

func FuzzParseFrame(f *testing.F) {
	whole := frame{kind: statesFrame, boot: "boot", node: "node-a", seq: 300, parts: [][]byte{[]byte("{}"), nil}}
	f.Add(whole.append(nil))
	f.Add([]byte{frameVersion, 's', 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		if got, err := parseFrame(data); err == nil {
			again, err := parseFrame(got.append(nil))
			if err != nil || again.seq != got.seq || len(again.parts) != len(got.parts) {
				t.Errorf("%+v became %+v (%v)", got, again, err)
			}
		}
	})
}
