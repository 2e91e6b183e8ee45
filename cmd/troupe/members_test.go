package main

import (
	"strings"
	"testing"
)

func TestMembershipIsChosen(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	for choice, want := range map[string]string{
		"redis": "", "static:10.0.0.1:8091,10.0.0.2:8091": "", "static:": "host:port", "static:here": "host:port",
		"kubernetes": "no pod", "etcd": "want redis, kubernetes or static",
	} {
		b := &backends{close: func() {}}
		err := b.openMembers(t.Context(), choice)
		b.close()
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", choice, err, want)
		}
		if wantList := strings.HasPrefix(choice, "static:1"); (b.members != nil) != wantList {
			t.Errorf("%s: the list is %T", choice, b.members)
		}
	}
}
