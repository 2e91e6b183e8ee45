package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// running is a job that a node runs under a token.
func (t *storeTest) running(token int64, node string) job.Job {
	t.Helper()
	j := t.submitted()
	t.put(j)
	return t.apply(j, job.Claimed{Token: token, Node: node})
}

// said makes lines from the n-th to the last one of a token.
func said(token, from, to int64, text func(n int64) string) []persistence.Line {
	var lines []persistence.Line
	for n := from; n <= to; n++ {
		lines = append(lines, persistence.Line{
			Seq: persistence.LineSeq(token, n), At: time.UnixMicro(1_700_000_000_000_000 + n).UTC(),
			Level: persistence.Level(n % 5), Attempt: int(token), Text: text(n),
		})
	}
	return lines
}

func numbered(n int64) string { return fmt.Sprintf("line %d", n) }

func (t *storeTest) appendTo(c persistence.Channel, j job.Job, token int64, node string, lines []persistence.Line) persistence.Appended {
	t.Helper()
	answers, err := t.st.AppendLines(t.ctx, []persistence.Append{{Job: j.ID, Channel: c, Token: token, Node: node, Lines: lines}})
	t.check(err)
	if len(answers) != 1 {
		t.Fatalf("%d answers to one append", len(answers))
	}
	return answers[0]
}

func (t *storeTest) wantAppended(what string, got persistence.Appended, want persistence.AppendState) {
	t.Helper()
	if got.State != want {
		t.Errorf("%s: state %d, want %d", what, got.State, want)
	}
}

func (t *storeTest) lines(q persistence.LineQuery) persistence.LinePage {
	t.Helper()
	page, err := t.st.ReadLines(t.ctx, q)
	t.check(err)
	return page
}

// wantLines reads a channel whole, page by page, and compares it with lines whose N is counted from the first dropped one on.
func (t *storeTest) wantLines(j job.Job, c persistence.Channel, dropped int64, want []persistence.Line) {
	t.Helper()
	want = slices.Clone(want)
	bytes := int64(0)
	for i := range want {
		want[i].N = dropped + int64(i+1)
		bytes += int64(len(want[i].Text))
	}
	var got []persistence.Line
	q := persistence.LineQuery{Job: j.ID, Channel: c, Limit: 1 + t.rng.IntN(persistence.MaxLinesPage)}
	for {
		page := t.lines(q)
		got = append(got, page.Lines...)
		bounds := persistence.LineBounds{Lines: int64(len(want)), Bytes: bytes, Dropped: dropped}
		if len(want) > 0 {
			bounds.First, bounds.Last = want[0].Seq, want[len(want)-1].Seq
		}
		t.want("bounds", page.Bounds, bounds)
		if page.Gap != (q.After == 0 && dropped > 0) {
			t.Errorf("after %d of %d dropped: gap %t", q.After, dropped, page.Gap)
		}
		if !page.More {
			break
		}
		if len(page.Lines) != q.Limit {
			t.Fatalf("%d lines of at most %d, and more", len(page.Lines), q.Limit)
		}
		q.After = got[len(got)-1].Seq
	}
	t.want("lines", got, want)
}

func texts8(n int64) string { return texts[n%int64(len(texts))] + "\x00\xff" }

var lineCases = []storeCase{
	{"lines are read as they were appended, each channel its own", func(t *storeTest) {
		j, other := t.running(1, "a"), t.running(1, "a")
		log, output := said(1, 1, 40, texts8), said(1, 1, 7, numbered)
		for n := range log {
			t.wantAppended("log", t.appendTo(persistence.Log, j, 1, "a", log[n:n+1]), persistence.LinesTaken)
		}
		answers, err := t.st.AppendLines(t.ctx, []persistence.Append{
			{Job: j.ID, Channel: persistence.Output, Token: 1, Node: "a", Lines: output},
			{Job: other.ID, Channel: persistence.Log, Token: 1, Node: "a", Lines: output},
		})
		t.check(err)
		t.want("answers", answers, []persistence.Appended{{State: persistence.LinesTaken}, {State: persistence.LinesTaken}})
		t.wantLines(j, persistence.Log, 0, log)
		t.wantLines(j, persistence.Output, 0, output)
		t.wantLines(other, persistence.Log, 0, output)
		t.wantLines(other, persistence.Output, 0, nil)
		t.wantJob(j)
		answers, err = t.st.AppendLines(t.ctx, nil)
		t.check(err)
		t.want("answers to none", answers, []persistence.Appended(nil))
	}},
	{"lines are read after each seq, and from the tail", func(t *storeTest) {
		j := t.running(1, "a")
		var all []persistence.Line
		for token := int64(1); token <= 3; token++ {
			some := said(token, 1, 5, numbered)
			t.wantAppended("append", t.appendTo(persistence.Log, j, token, "a", some), persistence.LinesTaken)
			all = append(all, some...)
		}
		for i := range all {
			all[i].N = int64(i + 1)
		}
		for i := range all {
			page := t.lines(persistence.LineQuery{Job: j.ID, Channel: persistence.Log, After: all[i].Seq})
			t.want("after", page.Lines, all[i+1:])
			page = t.lines(persistence.LineQuery{Job: j.ID, Channel: persistence.Log, After: all[i].Seq, Limit: 3})
			t.want("three after", page.Lines, all[i+1:min(i+4, len(all))])
			if page.More != (i+4 < len(all)) || page.Gap {
				t.Errorf("three after %d of %d: more %t, gap %t", i+1, len(all), page.More, page.Gap)
			}
			t.want("tail", t.lines(persistence.LineQuery{Job: j.ID, Channel: persistence.Log, Tail: i + 1}).Lines, all[len(all)-i-1:])
			t.want("tail after", t.lines(persistence.LineQuery{Job: j.ID, Channel: persistence.Log, Tail: 4, After: all[i].Seq}).Lines, all[max(i+1, len(all)-4):])
		}
		t.want("after the newest", t.lines(persistence.LineQuery{Job: j.ID, Channel: persistence.Log, After: all[14].Seq + 5}).Lines, []persistence.Line(nil))
		unknown := t.lines(persistence.LineQuery{Job: NewID(t.rng, time.Now()), Channel: persistence.Log, Tail: 5})
		t.want("of no job", unknown, persistence.LinePage{})
	}},
	{"appending again changes nothing", func(t *storeTest) {
		j := t.running(1, "a")
		lines := said(1, 1, 20, numbered)
		for _, c := range persistence.Channels {
			for _, to := range []int{5, 5, 12, 3, 20, 20} {
				t.wantAppended("append", t.appendTo(c, j, 1, "a", lines[:to]), persistence.LinesTaken)
			}
			t.wantLines(j, c, 0, lines)
		}
	}},
	{"lines of an overtaken claim are refused", func(t *storeTest) {
		j := t.running(1, "a")
		old := said(1, 1, 3, numbered)
		t.wantAppended("before", t.appendTo(persistence.Log, j, 1, "a", old), persistence.LinesTaken)
		t.wantAppended("of another node", t.appendTo(persistence.Log, j, 1, "b", said(1, 4, 4, numbered)), persistence.LinesRefused)
		j = t.apply(j, job.Claimed{Token: 2, Node: "b"})
		t.wantAppended("overtaken", t.appendTo(persistence.Log, j, 1, "a", said(1, 4, 9, numbered)), persistence.LinesRefused)
		fresh := said(2, 1, 3, numbered)
		t.wantAppended("of the new claim", t.appendTo(persistence.Log, j, 2, "b", fresh), persistence.LinesTaken)
		t.wantLines(j, persistence.Log, 0, append(old, fresh...))
	}},
	{"a claim may speak before its row says so, and then no older one may", func(t *storeTest) {
		j := t.running(1, "a")
		fresh := said(5, 1, 2, numbered)
		t.wantAppended("ahead of its row", t.appendTo(persistence.Output, j, 5, "b", fresh), persistence.LinesTaken)
		t.wantAppended("of the row's claim", t.appendTo(persistence.Output, j, 1, "a", said(1, 1, 2, numbered)), persistence.LinesRefused)
		t.wantAppended("on the other channel", t.appendTo(persistence.Log, j, 1, "a", said(1, 1, 2, numbered)), persistence.LinesTaken)
		t.wantLines(j, persistence.Output, 0, fresh)
	}},
	{"a job that has ended takes no lines", func(t *storeTest) {
		for _, status := range []job.Status{job.Completed, job.Failed, job.Cancelled} {
			j := RandomJobIn(t.rng, status)
			t.put(j)
			for _, token := range []int64{j.Token, j.Token + 1} {
				t.wantAppended(status.String(), t.appendTo(persistence.Log, j, token, j.Node, said(token, 1, 1, numbered)), persistence.LinesRefused)
			}
			t.wantLines(j, persistence.Log, 0, nil)
		}
	}},
	{"a job without a row takes no lines yet", func(t *storeTest) {
		j := t.submitted()
		lines := said(1, 1, 2, numbered)
		t.wantAppended("early", t.appendTo(persistence.Log, j, 1, "a", lines), persistence.LinesEarly)
		t.put(j)
		t.wantLines(j, persistence.Log, 0, nil)
		t.wantAppended("then", t.appendTo(persistence.Log, j, 1, "a", lines), persistence.LinesTaken)
		t.wantLines(j, persistence.Log, 0, lines)
	}},
	{"a log keeps its newest 10,000 lines", func(t *storeTest) {
		j := t.running(1, "a")
		all := 100_000
		if raced {
			all = 2 * persistence.MaxLines
		}
		lines := said(1, 1, int64(all), numbered)
		dropped := 0
		for some := range slices.Chunk(lines, persistence.MaxAppendLines) {
			answer := t.appendTo(persistence.Log, j, 1, "a", some)
			t.wantAppended("append", answer, persistence.LinesTaken)
			dropped += answer.Dropped
		}
		t.want("dropped", dropped, all-persistence.MaxLines)
		t.wantLines(j, persistence.Log, int64(all-persistence.MaxLines), lines[all-persistence.MaxLines:])
		first := lines[all-persistence.MaxLines]
		for after, gap := range map[int64]bool{0: true, lines[0].Seq: true, first.Seq - 2: true, first.Seq - 1: false, first.Seq: false, first.Seq + 7: false} {
			if page := t.lines(persistence.LineQuery{Job: j.ID, Channel: persistence.Log, After: after}); page.Gap != gap {
				t.Errorf("after %d, the first being %d: gap %t", after, first.Seq, page.Gap)
			}
		}
	}},
	{"a log keeps its newest 4 MiB", func(t *storeTest) {
		j := t.running(1, "a")
		t.wantAppended("short ones", t.appendTo(persistence.Log, j, 1, "a", said(1, 1, 900, numbered)), persistence.LinesTaken)
		long := strings.Repeat("x", persistence.MaxLine)
		const whole = persistence.MaxLineBytes / persistence.MaxLine
		lines := said(1, 901, 900+whole+10, func(int64) string { return long })
		for some := range slices.Chunk(lines, persistence.MaxAppendBytes/persistence.MaxLine) {
			t.wantAppended("append", t.appendTo(persistence.Log, j, 1, "a", some), persistence.LinesTaken)
		}
		t.wantLines(j, persistence.Log, 910, lines[10:])
	}},
	{"an output refuses what does not fit, and keeps the rest", func(t *storeTest) {
		many, large := t.running(1, "a"), t.running(1, "a")
		lines := said(1, 1, persistence.MaxLines+1, numbered)
		for some := range slices.Chunk(lines[:persistence.MaxLines], persistence.MaxAppendLines) {
			t.wantAppended("append", t.appendTo(persistence.Output, many, 1, "a", some), persistence.LinesTaken)
		}
		t.wantAppended("one too many", t.appendTo(persistence.Output, many, 1, "a", lines[persistence.MaxLines:]), persistence.LinesFull)
		t.wantAppended("again", t.appendTo(persistence.Output, many, 1, "a", lines[persistence.MaxLines-3:persistence.MaxLines]), persistence.LinesTaken)
		t.wantLines(many, persistence.Output, 0, lines[:persistence.MaxLines])
		text := strings.Repeat("x", persistence.MaxLine)
		chunks := said(1, 1, persistence.MaxLineBytes/persistence.MaxLine+1, func(int64) string { return text })
		for some := range slices.Chunk(chunks[:len(chunks)-1], persistence.MaxAppendBytes/persistence.MaxLine) {
			t.wantAppended("append", t.appendTo(persistence.Output, large, 1, "a", some), persistence.LinesTaken)
		}
		t.wantAppended("too large", t.appendTo(persistence.Output, large, 1, "a", chunks[len(chunks)-1:]), persistence.LinesFull)
		t.wantLines(large, persistence.Output, 0, chunks[:len(chunks)-1])
	}},
	{"lines go with their job", func(t *storeTest) {
		kept := t.running(1, "a")
		var gone []job.Job
		for range 4 {
			j := t.running(1, "a")
			for _, c := range persistence.Channels {
				t.wantAppended("append", t.appendTo(c, j, 1, "a", said(1, 1, 3, numbered)), persistence.LinesTaken)
			}
			gone = append(gone, t.apply(j, job.Succeeded{}))
		}
		t.wantAppended("append", t.appendTo(persistence.Log, kept, 1, "a", said(1, 1, 3, numbered)), persistence.LinesTaken)
		removed, err := t.st.Delete(t.ctx, []job.ID{kept.ID, gone[0].ID, gone[1].ID})
		t.check(err)
		t.want("removed", len(removed), 2)
		pruned, err := t.st.Prune(t.ctx, time.Now().Add(long), 10)
		t.check(err)
		t.want("pruned", len(pruned), 2)
		for _, j := range gone {
			for _, c := range persistence.Channels {
				t.wantLines(j, c, 0, nil)
			}
		}
		t.wantLines(kept, persistence.Log, 0, said(1, 1, 3, numbered))
	}},
	{"jobs with more lines than one transaction removes go all the same", func(t *storeTest) {
		var ids []job.ID
		for i := range 7 {
			j := t.running(1, "a")
			lines := said(1, 1, persistence.MaxLines, numbered)
			each := map[persistence.Channel][]persistence.Line{persistence.Log: lines}
			switch i {
			case 0: // both channels count
				half := lines[:len(lines)/2+1]
				each = map[persistence.Channel][]persistence.Line{persistence.Log: half, persistence.Output: half}
			case 6: // left by the first pruning
				each = map[persistence.Channel][]persistence.Line{persistence.Output: lines[:3]}
			}
			for c, lines := range each {
				for some := range slices.Chunk(lines, persistence.MaxAppendLines) {
					t.wantAppended("append", t.appendTo(c, j, 1, "a", some), persistence.LinesTaken)
				}
			}
			ids = append(ids, t.apply(j, job.Succeeded{}).ID)
		}
		removed, err := t.st.Delete(t.ctx, ids[:3])
		t.check(err)
		t.want("removed", sortedIDs(removed), sortedIDs(ids[:3]))
		pruned, err := t.st.Prune(t.ctx, time.Now().Add(long), 3)
		t.check(err)
		t.want("pruned of three", len(pruned), 3)
		again, err := t.st.Prune(t.ctx, time.Now().Add(long), 10)
		t.check(err)
		t.want("pruned", sortedIDs(append(pruned, again...)), sortedIDs(ids[3:]))
		t.wantGone(ids...)
		for _, id := range ids {
			t.want("lines", t.lines(persistence.LineQuery{Job: id, Channel: persistence.Log, Tail: 1}), persistence.LinePage{})
		}
	}},
	{"appends that break a bound are invalid", func(t *storeTest) {
		j := t.running(1, "a")
		good := said(1, 1, 2, numbered)
		twice := []persistence.Append{{Job: j.ID, Channel: persistence.Log, Token: 1, Node: "a", Lines: good[:1]}}
		for what, bad := range map[string][]persistence.Append{
			"no lines":          {{Job: j.ID, Channel: persistence.Log, Token: 1, Node: "a"}},
			"no channel":        {{Job: j.ID, Token: 1, Node: "a", Lines: good}},
			"backwards":         {{Job: j.ID, Channel: persistence.Log, Token: 1, Node: "a", Lines: []persistence.Line{good[1], good[0]}}},
			"of another token":  {{Job: j.ID, Channel: persistence.Log, Token: 2, Node: "a", Lines: good}},
			"twice one channel": append(twice, twice...),
			"long line":         {{Job: j.ID, Channel: persistence.Log, Token: 1, Node: "a", Lines: said(1, 1, 1, func(int64) string { return strings.Repeat("x", persistence.MaxLine+1) })}},
			"many lines":        {{Job: j.ID, Channel: persistence.Log, Token: 1, Node: "a", Lines: said(1, 1, persistence.MaxAppendLines+1, numbered)}},
		} {
			if _, err := t.st.AppendLines(t.ctx, bad); !errors.Is(err, persistence.ErrInvalid) {
				t.Errorf("%s: %v, want ErrInvalid", what, err)
			}
		}
		t.wantLines(j, persistence.Log, 0, nil)
	}},
	{"appending the same from many at once writes it once", func(t *storeTest) {
		j := t.running(1, "a")
		lines := said(1, 1, 300, numbered)
		for to := 50; to <= len(lines); to += 50 {
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					answers, err := t.st.AppendLines(t.ctx, []persistence.Append{{Job: j.ID, Channel: persistence.Log, Token: 1, Node: "a", Lines: lines[:to]}})
					if err != nil || answers[0].State != persistence.LinesTaken {
						t.Errorf("%+v, %v", answers, err)
					}
				})
			}
			wg.Wait()
		}
		t.wantLines(j, persistence.Log, 0, lines)
	}},
}
