package cluster

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/protobuf/proto"
)

// FuzzOpen: whatever arrives is refused or is an envelope that would be written as it was read.
func FuzzOpen(f *testing.F) {
	for _, e := range []envelope{
		{ID: 1, Op: opAsk, From: party{"a", 1}, To: party{"b", 2}, Within: 5000, Body: []byte("hello\nworld")},
		{ID: 1<<64 - 1, Op: opAnswer, From: party{"a", 1}, To: party{"b", 2}, Error: &fault{"full", "busy"}},
		{ID: 2, Op: opMember, From: party{Node: "a"}},
	} {
		data, err := e.seal()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(nil))
	f.Add([]byte("{}\n"))
	f.Add([]byte(`{"id":1,"op":"ask","from":{"node":"../etc"}}` + "\n"))
	f.Add(append(bytes.Repeat([]byte("["), maxHead), '\n'))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := open(data)
		if err != nil {
			return
		}
		again, err := e.seal()
		if err != nil {
			t.Skip(err) // a head that is shorter as it came
		}
		back, err := open(again)
		if err != nil {
			t.Fatalf("it is refused when it comes back: %v", err)
		}
		if diff := cmp.Diff(e, back); diff != "" {
			t.Errorf("it comes back as another: %s", diff)
		}
	})
}

// FuzzKeep: whatever a stream carries, only envelopes for the desk pass.
func FuzzKeep(f *testing.F) {
	for _, b := range []*remote.MessageBatch{
		{TypeNames: []string{typeName}, Targets: []string{deskName}, Envelopes: []*remote.MessageEnvelope{{MessageData: []byte("x")}}},
		{TypeNames: []string{"actor.Stop"}, Targets: []string{deskName}, Envelopes: []*remote.MessageEnvelope{{}, {TypeId: -1, Target: 7, SerializerId: 1}}},
	} {
		data, err := proto.Marshal(b)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		b := new(remote.MessageBatch)
		if proto.Unmarshal(data, b) != nil {
			return
		}
		from := &remote.MessageHeader{}
		kept, _ := (&filter{from: from}).keep(b)
		for _, e := range kept {
			if e.TypeId != 0 || e.Target != 0 || e.SerializerId != 0 || e.Sender != 0 || e.TargetRequestId != 0 || e.MessageHeader != from || len(e.MessageData) > MaxEnvelope+16 {
				t.Errorf("it passes: %v", e)
			}
		}
	})
}
