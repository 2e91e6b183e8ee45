package clip

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

const player = `<video id=v src="/clip.mp4" autoplay></video>`

// watched1s is what the player has done, once it has played for a second.
const watched1s = `(v => v.currentTime > 1 && {Width: v.videoWidth, Frames: v.getVideoPlaybackQuality().totalVideoFrames,
	Sound: v.webkitAudioDecodedByteCount, Duration: v.duration})(document.getElementById('v'))`

type played struct {
	Width, Frames, Sound int
	Duration             float64
}

// A browser plays the clip, pictures and sound, to a point in the midst of it.
func TestBrowserPlays(t *testing.T) {
	browser, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no chromium on the search path")
	}
	spec := small
	spec.Text = "Played"
	folder := t.TempDir()
	if _, err := program(t).Render(t.Context(), Compose(spec, &Fonts{}), folder, nil); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/clip.mp4" {
			http.ServeFile(w, r, filepath.Join(folder, "clip.mp4"))
			return
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, player)
	}))
	defer server.Close()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(browser), chromedp.NoSandbox,
		chromedp.Flag("autoplay-policy", "no-user-gesture-required"))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	ctx, stop := chromedp.NewExecAllocator(ctx, options...)
	defer stop()
	ctx, closeTab := chromedp.NewContext(ctx)
	defer closeTab()
	if err := chromedp.Do(ctx, chromedp.Navigate(server.URL)); err != nil {
		t.Fatal(err)
	}
	got, err := chromedp.Run(ctx, chromedp.Poll[played](watched1s))
	if err != nil || got.Width != 320 || got.Frames < 5 || got.Sound == 0 || got.Duration < 1.9 || got.Duration > 2.1 {
		t.Errorf("%+v, %v", got, err)
	}
	if err := chromedp.Cancel(ctx); err != nil {
		t.Error(err)
	}
}
