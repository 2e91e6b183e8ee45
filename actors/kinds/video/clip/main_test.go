package clip

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// renderIn, if set, makes this test program render a long clip in that folder until it is killed.
const renderIn = "CLIP_TEST_RENDER_IN"

func TestMain(m *testing.M) {
	if folder := os.Getenv(renderIn); folder != "" {
		s := Compose(Spec{Text: "Killed.", Duration: MaxDuration, Width: MaxWidth, Height: MaxHeight, FPS: 60}, &Fonts{})
		_, err := (&FFmpeg{Path: FindFFmpeg()}).Render(context.Background(), s, folder, nil)
		fmt.Println(err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

// eventually polls a condition.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within 10 s: %s", what)
		}
	}
}
