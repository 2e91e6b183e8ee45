package main

import (
	"strings"
	"testing"
)

// What asks for nothing, as the bench does, gets what is the default.
func TestMembershipIsChosenByName(t *testing.T) {
	for choice, want := range map[string]string{"": "", "redis": "", "zookeeper": `--membership "zookeeper"`, "static:": "--membership", "kubernetes": "--membership kubernetes"} {
		b := &backends{close: func() {}}
		err := b.openMembers(t.Context(), choice)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", choice, err, want)
		}
	}
}
