package job

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// sameAsMarshal holds that a view is written as json.Marshal writes it, or refused as it is.
func sameAsMarshal(t interface{ Fatalf(string, ...any) }, v *View) {
	want, refused := json.Marshal(v)
	got, err := v.AppendJSON([]byte("before"))
	if (err != nil) != (refused != nil) {
		t.Fatalf("%+v: %v, json.Marshal: %v", v, err, refused)
	}
	if err == nil && string(got) != "before"+string(want) {
		t.Fatalf("\n%s, json.Marshal:\n      %s", got, want)
	}
}

var (
	anyForm = rapid.OneOf(anyText, rapid.SampledFrom([]string{
		"plain", `<b>"a" & 'b'</b>`, "line\nline\ttab \\ \b\f\r\x01\x1f\x7f", "\u2028\u2029\ufffd\ufeff", "\xe2\x80", "\xed\xa0\x80", "Ω 🙂", "a/b", "\xff",
	}))
	anyRaw = rapid.OneOf(anyJSON, rapid.Map(rapid.SampledFrom([]string{
		" { \"a\" :\t[ 1 , 2.50e+10 , true ,\n null ] } ", `"<a href='?a&b'>"`, "\"\u2028 \u2029 \xe2\x80 \xe2\x80\xa8\"", `"\u003c\/\ud800"`, "\"\xff\"",
		`{`, `1,2`, `{"a":1}}`, `nul`, "\"\n\"", ` `, `{"a":1},"terminal":true,"b":{}`, `[<]`, "\u2028",
	}), func(s string) json.RawMessage { return json.RawMessage(s) }))
	anyTime = rapid.Custom(func(t *rapid.T) time.Time {
		zone := rapid.SampledFrom([]*time.Location{
			time.UTC, time.UTC, time.FixedZone("", 3600), time.FixedZone("", -5*3600-1800), time.FixedZone("", 1), time.FixedZone("", 25*3600),
		}).Draw(t, "zone")
		return rapid.OneOf(
			rapid.Just(time.Time{}), rapid.Just(time.Now()),
			rapid.Map(rapid.Int64Range(-1e9, 1e12), func(n int64) time.Time { return noon.Add(time.Duration(n)).In(zone) }),
			rapid.Map(rapid.Int64Range(-63e9, 260e9), func(s int64) time.Time { return time.Unix(s, 0).In(zone) }),
		).Draw(t, "time")
	})
	anyFloat = rapid.OneOf(anyPercent, rapid.Float64(), rapid.SampledFrom([]float64{
		1e-6, 9.99e-7, 1e-7, 1e20, 1e21, -1e21, math.Copysign(0, -1), 5e-324, 1.5, 33.3, 99.99999999999999, math.MaxFloat64,
	}))
)

func anyView(t *rapid.T) View {
	text := func(name string) string { return anyForm.Draw(t, name) }
	number := func(name string) int { return rapid.OneOf(rapid.Just(0), rapid.Int()).Draw(t, name) }
	v := View{
		Version: rapid.Int64().Draw(t, "version"), Run: number("run"), Kind: text("kind"), Queue: text("queue"),
		Status: Status(rapid.IntRange(0, 255).Draw(t, "status")), Terminal: rapid.Bool().Draw(t, "terminal"), Priority: number("priority"),
		Attempt: number("attempt"), MaxAttempts: number("max attempts"), Crashes: number("crashes"), Progress: anyFloat.Draw(t, "progress"),
		Stage: text("stage"), StageIndex: number("stage index"), StageCount: number("stage count"), Message: text("message"), ETA: int64(number("eta")),
		Payload: anyRaw.Draw(t, "payload"), Result: anyRaw.Draw(t, "result"), Checkpoint: anyRaw.Draw(t, "checkpoint"),
		Owner: text("owner"), Tags: rapid.SliceOfN(anyForm, 0, 3).Draw(t, "tags"), Group: text("group"), Batch: text("batch"), Node: text("node"),
		CreatedAt: anyTime.Draw(t, "created"), StartedAt: anyTime.Draw(t, "started"), UpdatedAt: anyTime.Draw(t, "updated"),
		CompletedAt: anyTime.Draw(t, "completed"), RunAt: anyTime.Draw(t, "run at"),
	}
	copy(v.ID[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
	if rapid.Bool().Draw(t, "failed") {
		v.Error = &ViewError{Code: text("code"), Message: text("failure"), Fingerprint: text("fingerprint")}
	}
	for range rapid.IntRange(0, 3).Draw(t, "artifacts") {
		v.Artifacts = append(v.Artifacts, ViewArtifact{Name: text("name"), Type: text("type"), URL: text("url"), Bytes: int64(number("bytes"))})
	}
	if rapid.Bool().Draw(t, "cancel") {
		v.Cancel = &ViewCancel{State: CancelState(text("cancel state")), Cancel: Cancel{By: text("by"), Reason: text("reason"), At: anyTime.Draw(t, "asked")}}
	}
	return v
}

func TestAppendJSONIsMarshal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := anyView(t)
		sameAsMarshal(t, &v)
	})
}

// A view that is mostly in order is written, whatever one text, number or raw value in it is.
func TestAppendJSONOfOneOddity(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		j := fullJob()
		v, odd := j.FullView(), anyView(t)
		field := rapid.IntRange(0, reflect.TypeFor[View]().NumField()-1).Draw(t, "field")
		reflect.ValueOf(&v).Elem().Field(field).Set(reflect.ValueOf(odd).Field(field))
		sameAsMarshal(t, &v)
	})
}

func FuzzAppendJSON(f *testing.F) {
	f.Add("text", []byte(`{"a":"<"}`), 62.5, int64(1), int64(2))
	f.Add("\xff\u2028<", []byte(` [1, 2] `), 1e-7, int64(-1), int64(1<<40))
	f.Fuzz(func(t *testing.T, text string, raw []byte, number float64, n, seconds int64) {
		at := time.Unix(seconds, n).UTC()
		v := View{
			Version: n, Kind: text, Progress: number, Stage: text, StageIndex: int(n), ETA: n, Payload: raw, Error: &ViewError{Message: text},
			Artifacts: []ViewArtifact{{Name: text, Bytes: n}}, Tags: []string{text, ""}, CreatedAt: at, UpdatedAt: at, RunAt: at,
		}
		sameAsMarshal(t, &v)
		v.Payload, v.Checkpoint = nil, raw
		sameAsMarshal(t, &v)
	})
}

// The samples of the tests above leave no field out.
func TestAppendJSONWritesEveryField(t *testing.T) {
	j := fullJob()
	v := j.FullView()
	v.Error, v.RunAt = &ViewError{Code: "c", Message: "m", Fingerprint: "f"}, noon
	fields := reflect.ValueOf(v)
	for i := range fields.NumField() {
		if fields.Field(i).IsZero() {
			t.Errorf("%s is empty", fields.Type().Field(i).Name)
		}
	}
	sameAsMarshal(t, &v)
}

// A struct that embeds a view is written with its own fields.
func TestViewMayBeEmbedded(t *testing.T) {
	data, err := json.Marshal(struct {
		View
		Own string `json:"own"`
	}{Own: "kept"})
	if err != nil || !bytes.Contains(data, []byte(`"own":"kept"`)) || !bytes.Contains(data, []byte(`"status":`)) {
		t.Errorf("%s, %v", data, err)
	}
}

func TestAppendJSONSaysWhatItRefuses(t *testing.T) {
	for field, v := range map[string]View{
		"payload": {Payload: json.RawMessage(`{`)}, "result": {Result: json.RawMessage(`<`)}, "checkpoint": {Checkpoint: json.RawMessage(`1 2`)},
		"progress": {Progress: math.NaN()}, "created_at": {CreatedAt: time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		if data, err := v.AppendJSON(nil); err == nil || data != nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %s, %v", field, data, err)
		}
	}
}
