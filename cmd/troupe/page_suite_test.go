package main

import (
	"context"
	"testing"
)

// TestPage does with the page what people do, in a browser, against the binary with a real renderer. Two at a time: each test keeps a
// renderer busy.
func TestPage(t *testing.T) {
	if testing.Short() {
		t.Skip("renders videos and watches them in a browser")
	}
	troupe, browser := buildTroupe(t), startBrowser(t)
	for _, story := range []struct {
		name string
		tell func(t *testing.T, browser context.Context, troupe string)
	}{
		{"ManyAtOnce", tellManyAtOnce}, // the longest first
		{"Crash", tellCrash},
		{"Hostile", tellHostile},
		{"House", tellHouse},
		{"Duty", tellDuty},
		{"Jobs", tellJobs},
		{"Order", tellOrder},
		{"Looks", tellLooks},
		{"Refusals", tellRefusals},
		{"Unavailable", tellUnavailable},
		{"SignIn", tellSignIn},
	} {
		t.Run(story.name, func(t *testing.T) {
			t.Parallel()
			story.tell(t, browser, troupe)
		})
	}
}
