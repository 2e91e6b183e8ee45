package httpapi

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

func TestSearchIsRead(t *testing.T) {
	id := job.ID{0x01, 0x9a, 0xbc, 0xde, 0xf0, 0x12, 0x70, 1, 0x80, 2, 3, 4, 5, 6, 7, 8}
	day := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for text, want := range map[string]persistence.Query{
		"":    {},
		"  ":  {},
		"dog": {Texts: []string{"dog"}},
		` status:failed,retrying  kind:video.generate queue:video owner:u1 tag:x group:g batch:b fingerprint:ff`: {
			Statuses: []job.Status{job.Failed, job.Retrying}, Kind: "video.generate", Queue: "video", Owner: "u1", Tag: "x", Group: "g", Batch: "b",
			Fingerprint: "ff",
		},
		`Status:queued status:queued`:            {Statuses: []job.Status{job.Queued}},
		`error:timeout error:"no credit" word:x`: {Errors: []string{"timeout", "no credit"}, Texts: []string{"x"}},
		`word "two words" "a:b" "q\"\\\n" a"b`:   {Texts: []string{"word", "two words", "a:b", `q"\\n`, `a"b`}},
		`payload.campaign:"spring sale" payload.a.b_c-d.0:5 payload.x:"" payload.é:ü:ü`: {Payload: []persistence.PayloadMatch{
			{Path: "campaign", Text: "spring sale"}, {Path: "a.b_c-d.0", Text: "5"}, {Path: "x"}, {Path: "é", Text: "ü:ü"},
		}},
		"id:" + id.String():                   {IDs: []job.ID{id}},
		"id:019ABCDE-f0":                      {Lowest: job.ID{0x01, 0x9a, 0xbc, 0xde, 0xf0}, Highest: filled(job.ID{0x01, 0x9a, 0xbc, 0xde, 0xf0}, 5)},
		"created:2026-11-01":                  {From: day, To: day.AddDate(0, 0, 1)},
		"created:>2026-11-01":                 {From: day.AddDate(0, 0, 1)},
		"created:>=2026-11-01":                {From: day},
		"created:<2026-11-01":                 {To: day},
		"created:<=2026-11-01T00:00:00+01:00": {To: day.Add(-time.Hour + time.Microsecond)},
		"created:>=2026-10-01 created:>=2026-11-01 created:<2027-01-01 created:<2026-12-01": {From: day, To: day.AddDate(0, 1, 0)},
	} {
		var got persistence.Query
		if err := readSearch(&got, text); err != nil {
			t.Errorf("%s: %v", text, err)
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
	now := day
	for text, want := range map[string]persistence.Query{
		">1h": {To: now.Add(-time.Hour)}, "<2d": {From: now.Add(-48 * time.Hour)}, "<=3w": {From: now.AddDate(0, 0, -21)}, ">=5m": {To: now.Add(-5 * time.Minute)},
	} {
		var got persistence.Query
		if err := narrowByAge(&got, text, now); err != nil || !got.From.Equal(want.From) || !got.To.Equal(want.To) {
			t.Errorf("age %s: %+v, %v", text, got, err)
		}
	}
}

func filled(id job.ID, from int) job.ID {
	for i := from; i < len(id); i++ {
		id[i] = 0xff
	}
	return id
}

func TestSearchErrorsNameWhatAndWhere(t *testing.T) {
	for text, want := range map[string]string{
		`knd:x`:                             `unknown qualifier "knd" at 1;`,
		`dög  knd:x`:                        `unknown qualifier "knd" at 6;`,
		`https://x`:                         `unknown qualifier "https" at 1;`,
		`-kind:x`:                           `unknown qualifier "-kind" at 1;`,
		`kind:a kind:b`:                     `kind at 8: given more than once`,
		`kind:a/b`:                          `kind at 1: "a/b"`,
		`kind:`:                             `kind at 1: no value`,
		`kind: x`:                           `kind at 1: no value`,
		`kind:""`:                           `kind at 1: no value`,
		`:x`:                                `no qualifier before the colon at 1`,
		`x status:done`:                     `status at 3: status "done": unknown`,
		`id:01`:                             `id at 1: "01"`,
		`id:0190 id:0191`:                   `id at 9: given more than once`,
		`x "y`:                              `the quote at 3 is not closed`,
		`kind:"y`:                           `the quote at 6 is not closed`,
		`"y"z`:                              `want a space after the quote at 3`,
		`age:1h`:                            `age at 1: want such as`,
		`age:>1`:                            `age at 1: want such as`,
		`age:>-1h`:                          `age at 1: want such as`,
		`age:>99999999999h`:                 `age at 1: want such as`,
		`age:>4000000000w`:                  `age at 1: want such as`,
		`created:yesterday`:                 `created at 1: "yesterday"`,
		`payload.:x`:                        `payload. at 1: want a path`,
		`payload.a..b:x`:                    `payload.a..b at 1: want a path`,
		`payload.a'b:x`:                     `payload.a'b at 1: want a path`,
		`payload:x`:                         `unknown qualifier "payload" at 1`,
		strings.Repeat("x ", 21):            `more than 20 terms at 41`,
		strings.Repeat("x", 201):            `word at 1: 201 bytes, at most 200`,
		strings.Repeat("x", 1001):           `1001 bytes, at most 1000`,
		"a\xff":                             `not UTF-8`,
		"error:" + strings.Repeat("x", 201): `error at 1: 201 bytes`,
	} {
		var q persistence.Query
		if err := readSearch(&q, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %s", text, err, want)
		}
	}
}

var position = regexp.MustCompile(`at (\d+)`)

func FuzzSearch(f *testing.F) {
	for _, seed := range []string{
		`status:failed kind:a "b c" payload.x.y:"\"" age:>1h`, `id:0190-0000 created:<=2026-11-01`, `error:é "\\`, `::"`, "a\u2003b:c", `payload.a:"" x`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var q persistence.Query
		err := readSearch(&q, text)
		if err != nil {
			if m := position.FindStringSubmatch(err.Error()); m != nil {
				if at, _ := strconv.Atoi(m[1]); at < 1 || at > utf8.RuneCountInString(text) {
					t.Errorf("%q: %v: there is no such position", text, err)
				}
			}
			return
		}
		// What was read can be said again, and means the same.
		var again persistence.Query
		if err := readSearch(&again, text+" "); err != nil {
			t.Errorf("%q with a space after it: %v", text, err)
		}
		if len(q.Texts) != len(again.Texts) || len(q.Payload) != len(again.Payload) || q.Kind != again.Kind || q.Highest != again.Highest {
			t.Errorf("%q with a space after it: %+v, then %+v", text, q, again)
		}
		for _, word := range q.Texts {
			var one persistence.Query
			quoted := `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(word) + `"`
			if err := readSearch(&one, quoted); err != nil || !slices.Equal(one.Texts, []string{word}) {
				t.Errorf("%s: %q, %v", quoted, one.Texts, err)
			}
		}
		if lowest, below := q.Range(); !q.Highest.IsZero() && lowest.Compare(below) >= 0 && !below.IsZero() && q.From.IsZero() && q.To.IsZero() {
			t.Errorf("%q: no id is in %s to %s", text, lowest, below)
		}
	})
}

func TestSearchOfJobs(t *testing.T) {
	rig := newRig(t, nil)
	large := strings.Repeat("x", persistence.MaxListedPayload)
	red := rig.submit(`{"kind":"echo","owner":"ann","tags":["spring"],"payload":{"campaign":"spring sale","shot":{"lens":"35 mm"},"n":1}}`)
	odd := rig.submit(`{"kind":"echo","payload":{"campaign":"\ud800","text":"` + large + `"}}`)
	bad := rig.submit(`{"kind":"boom","payload":{"campaign":"autumn"}}`)
	rig.await(red, job.Completed)
	rig.await(odd, job.Completed)
	rig.await(bad, job.Failed)
	for search, want := range map[string][]job.ID{
		"":                                        {bad, odd, red},
		"kind:echo":                               {odd, red},
		`payload.campaign:"spring sale"`:          {red},
		`payload.shot.lens:"35 mm" payload.n:1`:   {red},
		`payload.campaign:"` + "\uFFFD" + `"`:     {odd},
		"error:BOOM status:failed,retrying":       {bad},
		"status:completed status:failed":          {bad, odd, red},
		"status:cancelled":                        {},
		"age:>1h":                                 {},
		"age:<1h autumn":                          {bad},
		"id:" + red.String() + "," + bad.String(): {bad, red},
		"id:" + odd.String()[:8] + " kind:boom":   {bad},
		"tag:spring":                              {red},
		"id:ffffffff":                             {},
		`"spring sale" lens`:                      {red},
		fmt.Sprintf("created:>%s", "2126-01-01"):  {},
	} {
		var page jobPage
		do(t, rig.Server, "GET", "/v1/jobs?"+url.Values{"q": {search}}.Encode(), "").decode(t, &page)
		got := []job.ID{}
		for i := range page.Jobs {
			got = append(got, page.Jobs[i].ID)
		}
		if !slices.Equal(got, want) || page.Scan == nil || !page.Scan.Complete || page.Next != "" {
			t.Errorf("%s: %v, want %v (%+v)", search, got, want, page.Scan)
		}
	}
	var page jobPage
	do(t, rig.Server, "GET", "/v1/jobs?fields=payload&kind=echo", "").decode(t, &page)
	if len(page.Jobs) != 2 || page.Jobs[0].Payload != nil || !page.Jobs[0].PayloadOmitted || page.Jobs[1].PayloadOmitted ||
		!strings.Contains(string(page.Jobs[1].Payload), "spring sale") || page.Jobs[1].Owner != "ann" {
		t.Errorf("%+v", page)
	}
	for _, query := range []string{"q=knd:x", "q=kind:a&kind=b", "fields=result", "q=a&q=b", "q=%22"} {
		if r := do(t, rig.Server, "GET", "/v1/jobs?"+query, ""); r.StatusCode != 422 || !strings.Contains(r.body, `"detail"`) {
			t.Errorf("%s: %d %s", query, r.StatusCode, r.body)
		}
	}
}
