package job

import "testing"

func TestFormOfAnEnvelope(t *testing.T) {
	for data, want := range map[string]int{
		``: 1, `{`: 1, `{"id":"x"}`: 1, `{"form":`: 1, `{"form":1,"id":"x"}`: 1, `{"form":2}`: 2, `{"form":31,"x":1}`: 31,
		`{"form":99999999999999999999}`: maxForm, `{"form":-2}`: 1, `{"kind":"a","form":2}`: 1, `rubbish`: 1,
	} {
		if got := FormOf([]byte(data)); got != want {
			t.Errorf("the form of %s is %d, want %d", data, got, want)
		}
	}
	j := New(sampleSpec(), noon)
	data, err := EncodeEnvelope(&j)
	if err != nil || FormOf(data) != EnvelopeForm {
		t.Errorf("%s is of form %d, %v", data, FormOf(data), err)
	}
	if _, err := DecodeEnvelope([]byte(`{"form":2,"id":"01a2089b-065d-791a-a074-834b77ce213c"}`)); err == nil {
		t.Error("an envelope of a newer form was read")
	}
}
