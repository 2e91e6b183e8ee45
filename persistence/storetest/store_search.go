package storetest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// hostile are payloads that say the same in different ways, almost the same, or what text can't hold.
var hostile = []string{
	`{"a":"x"}`, `{"\u0061":"\u0078"}`, `{ "a" : "x" , "b":"\u0000" }`, `{"a":"x\u0000y"}`, `{"a":"x\ufffdy"}`, `{"a":"x\ud800y"}`, `{"a":"\\u0000"}`,
	`{"a":"\\\u0000"}`, `{"a":"\ud83c\udfac"}`, `{"a":"🎬"}`, `{"a":"\ud83c"}`, `{"a":"\udfac\ud83c"}`, `{"a":"\\ud83c\udfac"}`, `{"a":"\ud83c\\udfac"}`,
	`{"a":"\ud83c\ud83c\udfac\udfac"}`, `{"a":"q\"uote"}`, `{"a":"sl\/ash"}`, `{"a":"sl/ash"}`, `{"a":"b\\ack"}`, `{"a":"line\n"}`, `{"a":""}`,
	`{"a":{"b":"x"}}`, `{"a":{"b":{"c":"x"}}}`, `{"a":["x"]}`, `{"a":{"0":"x"}}`, `{"a.b":"x"}`, `{"a":{"b":"\ud800"},"c":"x"}`, `{"a":null}`,
	`{"a":1}`, `{"a":1.0}`, `{"a":1e2}`, `{"a":true}`, `{"a":"true"}`, `{"a":"null"}`, `{"a":"y","a":"x"}`, `{"a":{"b":"x"},"a":1}`, `[{"a":"x"}]`,
	`"x"`, `null`, `{"a":[1]}`, `{"a":"[1]"}`, `{"a":{"b":12345678901234567890}}`, `{"a":"%"}`, `{"a":"'"}`, `{"A":"x"}`, `{"a":"X"}`, `{"\ud800":1,"a":"x"}`,
}

var payloadMatches = func() (all []persistence.PayloadMatch) {
	for _, path := range []string{"a", "a.b", "a.b.c", "a.0", "b", "absent"} {
		for _, text := range []string{
			"x", "", "y", "x\uFFFDy", "\uFFFD", `\u0000`, "\\\uFFFD", "🎬", "\uFFFD\uFFFD", `\ud83c` + "\uFFFD", "\uFFFD" + `\udfac`, "\uFFFD🎬\uFFFD",
			`q"uote`, "sl/ash", `b\ack`, "line\n", "1", "1.0", "1e2", "100", "true", "null", "[1]", "12345678901234567890", "%", "'", "X",
		} {
			all = append(all, persistence.PayloadMatch{Path: path, Text: text})
		}
	}
	return all
}()

var searchCases = []storeCase{
	{"a payload matches by what it says, however it is written", func(t *storeTest) {
		var jobs []job.Job
		for i, text := range append(hostile, "") {
			j := job.New(RandomSpec(t.rng), time.Now())
			j.ID, j.Payload = NewID(t.rng, time.Now().Add(time.Duration(i)*time.Second)), json.RawMessage(text)
			jobs = append(jobs, j)
		}
		t.put(jobs...)
		held := 0
		for _, m := range payloadMatches {
			page := t.list(persistence.Query{Payload: []persistence.PayloadMatch{m}, Limit: persistence.MaxPage, Bounded: t.rng.IntN(2) == 0})
			want := jobIDs(listed(jobs, func(j *job.Job) bool { return m.Holds(j.Payload) }))
			held += len(want)
			t.want(fmt.Sprintf("%+q", m), jobIDs(page.Jobs), want)
		}
		if held < 30 {
			t.Errorf("%d matches: the payloads test little", held)
		}
	}},
	{"payloads are listed if they are asked for and small", func(t *storeTest) {
		jobs := t.population(4)
		jobs[1].Payload = json.RawMessage(`"` + strings.Repeat("x", persistence.MaxListedPayload-2) + `"`)
		jobs[2].Payload = json.RawMessage(`"` + strings.Repeat("x", persistence.MaxListedPayload-1) + `"`)
		jobs[3].Payload = nil
		t.put(jobs...)
		want := persistence.Page{Omitted: []job.ID{jobs[2].ID}}
		for _, j := range slices.Backward(jobs) {
			if j.Result, j.Checkpoint = nil, nil; j.ID == jobs[2].ID {
				j.Payload = nil
			}
			want.Jobs = append(want.Jobs, j)
		}
		t.want("page", t.list(persistence.Query{Payloads: true}), want)
		t.want("searched page", t.list(persistence.Query{Payloads: true, Bounded: true, From: jobs[0].Created}), want)
	}},
	{"a search in steps finds what is there, newest first, and goes on where it was cut", func(t *storeTest) {
		jobs := t.population(persistence.SearchStep + 300)
		var want []job.ID
		for i := range jobs {
			jobs[i].Payload, jobs[i].Result, jobs[i].Checkpoint, jobs[i].Artifacts = nil, nil, nil, nil
			if jobs[i].Queue = "many"; i%97 == 5 {
				jobs[i].Queue = "few"
			}
		}
		for _, j := range slices.Backward(jobs) {
			if j.Queue == "few" {
				want = append(want, j.ID)
			}
		}
		t.put(jobs...)
		for _, q := range []persistence.Query{{Queue: "few", Limit: 5}, {Queue: "few", Limit: 400}, {Queue: "few", Limit: 7, Lowest: jobs[0].ID}} {
			q.Bounded = true
			var got []job.ID
			for range jobs {
				page := t.list(q)
				got = append(got, jobIDs(page.Jobs)...)
				if page.Next.IsZero() {
					t.want("cut", page.Cut, false)
					break
				}
				if page.Cut && len(page.Jobs) >= q.Limit {
					t.Fatal("a page that is full was cut")
				}
				q.Before = page.Next
			}
			t.want("found", got, want)
		}
	}},
	{"dead letters are grouped by fingerprint and kind", func(t *storeTest) {
		jobs := t.population(150)
		for i := range jobs {
			if t.rng.IntN(2) == 0 {
				jobs[i].Status = job.Failed
				jobs[i].Finished = jobs[i].Updated
			}
		}
		t.put(jobs...)
		for _, q := range []persistence.Query{{}, {Queue: "films"}, {Owner: "ann", Kind: "mail"}, {Texts: []string{"said no"}}, {Kind: "absent"}} {
			groups, err := t.st.DeadGroups(t.ctx, q)
			t.check(err)
			t.want(fmt.Sprintf("groups of %+v", q), groups, deadGroups(jobs, q))
		}
	}},
	{"of many groups the latest are given", func(t *storeTest) {
		var jobs []job.Job
		for i := range persistence.MaxGroups + 1 {
			j := t.ended(job.Failed, time.Now().Add(-time.Duration(i)*time.Hour))
			j.Failure = job.NewFailure(fmt.Sprintf("code%d", i), "no")
			jobs = append(jobs, j)
		}
		t.put(jobs...)
		groups, err := t.st.DeadGroups(t.ctx, persistence.Query{})
		t.check(err)
		t.want("complete", groups.Complete, false)
		t.want("groups", len(groups.Groups), persistence.MaxGroups)
		t.want("latest", groups.Groups[0].Sample, []job.ID{jobs[0].ID})
	}},
}

// deadGroups is what the groups of jobs, newest last, must be.
func deadGroups(jobs []job.Job, q persistence.Query) persistence.Groups {
	byName := map[string][]job.Job{}
	for _, j := range slices.Backward(jobs) {
		if j.Status != job.Failed || q.Queue != "" && j.Queue != q.Queue || q.Owner != "" && j.Owner != q.Owner || q.Kind != "" && j.Kind != q.Kind ||
			len(q.Texts) > 0 && !contains(&j, q.Texts[0]) {
			continue
		}
		name := j.Kind
		if j.Failure != nil {
			name += " " + j.Failure.Fingerprint
		}
		byName[name] = append(byName[name], j)
	}
	groups := persistence.Groups{Complete: true}
	for _, alike := range byName {
		newest := &alike[0]
		g := persistence.Group{Kind: newest.Kind, Queue: newest.Queue, Count: len(alike), First: newest.Finished, Last: newest.Finished}
		if f := newest.Failure; f != nil {
			g.Fingerprint, g.Code, g.Message = f.Fingerprint, f.Code, f.Message
		}
		for i := range alike {
			if g.First = earlier(g.First, alike[i].Finished); alike[i].Finished.After(g.Last) {
				g.Last = alike[i].Finished
			}
			if alike[i].Queue != newest.Queue {
				g.Queue = ""
			}
		}
		g.Sample = jobIDs(alike[:min(len(alike), persistence.GroupSample)])
		groups.Groups = append(groups.Groups, g)
	}
	slices.SortFunc(groups.Groups, func(a, b persistence.Group) int { return b.Last.Compare(a.Last) })
	return groups
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
