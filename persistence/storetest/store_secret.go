package storetest

import (
	"bytes"
	"errors"
	"strings"
	"sync"

	"github.com/meta-ad-studio/troupe/persistence"
)

func (t *storeTest) secret(name string, fresh []byte) []byte {
	t.Helper()
	kept, err := t.st.Secret(t.ctx, name, fresh)
	t.check(err)
	return kept
}

var secretCases = []storeCase{
	{"the first secret of a name is everybody's, to the byte", func(t *storeTest) {
		first := []byte("\x00\xff'first\\ \n🎬")
		t.want("the first", t.secret("stream", first), first)
		t.want("the second", t.secret("stream", []byte("second")), first)
		t.want("another name's", t.secret("Stream", []byte("third")), []byte("third"))
		t.want("the first, again", t.secret("stream", []byte("fourth")), first)
	}},
	{"of many that bring a secret at once all go with the same", func(t *storeTest) {
		const nodes = 8
		var wg sync.WaitGroup
		kept := make([][]byte, nodes)
		for i := range nodes {
			wg.Go(func() {
				var err error
				if kept[i], err = t.st.Secret(t.ctx, "stream", bytes.Repeat([]byte{byte(i)}, 32)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for i := range nodes {
			t.want("a secret", kept[i], kept[0])
		}
	}},
	{"what can't be a secret is refused", func(t *storeTest) {
		for _, bad := range []struct {
			name  string
			value []byte
		}{
			{"", []byte("v")},
			{"a b", []byte("v")},
			{strings.Repeat("n", 100), []byte("v")},
			{"n", nil},
			{"n", make([]byte, persistence.MaxSecret+1)},
		} {
			if _, err := t.st.Secret(t.ctx, bad.name, bad.value); !errors.Is(err, persistence.ErrInvalid) {
				t.Errorf("%d bytes as %.20q: %v", len(bad.value), bad.name, err)
			}
		}
		large := bytes.Repeat([]byte{7}, persistence.MaxSecret)
		t.want("the largest", t.secret("n", large), large)
	}},
}
