package storetest_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence/storetest"
)

func TestRandomJobsAreValidAndSetEveryField(t *testing.T) {
	rng := storetest.Random(t)
	set := make(map[string]bool)
	for range 500 {
		j := storetest.RandomJob(rng)
		if err := j.Policy.Validate(); err != nil {
			t.Fatal(err)
		}
		if (j.Finished != time.Time{}) != j.Status.Terminal() {
			t.Fatalf("a %s job finished at %v", j.Status, j.Finished)
		}
		for _, text := range []json.RawMessage{j.Payload, j.Checkpoint, j.Result} {
			if len(text) > 0 && !json.Valid(text) {
				t.Fatalf("%s is no JSON", text)
			}
		}
		markSet("", reflect.ValueOf(j), set)
	}
	for _, path := range []string{".Cancel", ".Cancel.By", ".Cancel.Reason", ".Cancel.At"} {
		set[path] = true // no commit writes it
	}
	wantSet(t, "", reflect.TypeFor[job.Job](), set)
}

func markSet(path string, v reflect.Value, set map[string]bool) {
	if !v.IsZero() {
		set[path] = true
	}
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			markSet(path+"."+v.Type().Field(i).Name, v.Field(i), set)
		}
	case v.Kind() == reflect.Pointer && !v.IsNil():
		markSet(path, v.Elem(), set)
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct:
		for i := range v.Len() {
			markSet(path, v.Index(i), set)
		}
	}
}

func wantSet(t *testing.T, path string, typ reflect.Type, set map[string]bool) {
	if !set[path] {
		t.Errorf("no random job sets %s", path)
	}
	if typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice && typ.Elem().Kind() == reflect.Struct {
		typ = typ.Elem()
	}
	if typ.Kind() == reflect.Struct && typ != reflect.TypeFor[time.Time]() {
		for i := range typ.NumField() {
			wantSet(t, path+"."+typ.Field(i).Name, typ.Field(i).Type, set)
		}
	}
}

func TestIDsAreVersion7AndOrderedByTime(t *testing.T) {
	rng := storetest.Random(t)
	now := time.Now().Truncate(time.Millisecond)
	id, next := storetest.NewID(rng, now), storetest.NewID(rng, now.Add(time.Millisecond))
	if !id.Time().Equal(now) || id.Compare(next) >= 0 || id[6]>>4 != 7 || id[8]>>6 != 2 {
		t.Errorf("ids %s and %s of %v", id, next, now)
	}
}
