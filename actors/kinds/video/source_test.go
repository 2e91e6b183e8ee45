package video

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// pictures serves one red picture and counts how often it was asked for.
func pictures(t *testing.T) (address string, asked *atomic.Int64, allow func(*Config)) {
	t.Helper()
	red := image.NewNRGBA(image.Rect(0, 0, 300, 200))
	for i := range red.Pix {
		red.Pix[i] = []uint8{200, 10, 10, 255}[i%4]
	}
	asked = new(atomic.Int64)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.URL.Path != "/red.png" {
			http.NotFound(w, r)
			return
		}
		_ = png.Encode(w, red)
	}))
	t.Cleanup(s.Close)
	at := netip.MustParseAddrPort(s.Listener.Addr().String())
	return s.URL, asked, func(c *Config) {
		c.Fetch.Ports = []int{int(at.Port())}
		c.Fetch.Allow = func(a netip.Addr) bool { return a == at.Addr() }
	}
}

func TestClipOverAPictureIsFetchedOnce(t *testing.T) {
	address, asked, allow := pictures(t)
	r := newRecorder(Payload{Prompt: "Red", ImageURL: address + "/red.png", Duration: 2})
	s := smallStudio(t, func(c *Config) { allow(c); c.Artifacts = r })
	for attempt := range 3 {
		r.stored, r.progress = nil, nil
		r.record.Token += int64(attempt)
		if err := s.run(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		r.check(t, s.TempDir, true)
		want := []string{"source.jpg", "poster.jpg", "video.mp4"}[min(attempt, 1):]
		if !slices.Equal(r.stored, want) || asked.Load() != 1 {
			t.Errorf("attempt %d: stored %v, asked %d times", attempt, r.stored, asked.Load())
		}
		if p := r.progress[0]; p.Stage != "fetch" || p.StageCount != 4 {
			t.Errorf("%+v", p)
		}
	}
	poster, err := jpeg.Decode(bytes.NewReader(r.files["poster.jpg"]))
	if err != nil {
		t.Fatal(err)
	}
	if c := color.NRGBAModel.Convert(poster.At(300, 20)).(color.NRGBA); c.R < 60 || c.G > 40 {
		t.Errorf("the picture is not behind the text: %v", c)
	}
	// what is lost or damaged is fetched again
	r.files["source.jpg"][100] ^= 1
	if err := s.run(t.Context(), r); err != nil || asked.Load() != 2 {
		t.Errorf("%v, asked %d times", err, asked.Load())
	}
	r.record.Checkpoint = []byte(`"another version's"`)
	if err := s.run(t.Context(), r); err != nil || asked.Load() != 3 {
		t.Errorf("%v, asked %d times", err, asked.Load())
	}
}

func TestPictureThatCannotBeHad(t *testing.T) {
	address, asked, allow := pictures(t)
	for path, want := range map[string]string{
		address + "/missing.png":                  "fetch: imageUrl: the server answered 404",
		"http://169.254.169.254/latest/meta-data": "not on the public internet",
		"http://10.0.0.1/":                        "not on the public internet",
	} {
		r := newRecorder(Payload{Prompt: "Red", ImageURL: path, Duration: 2})
		s := smallStudio(t, allow)
		err := s.run(t.Context(), r)
		e, ok := job.Outcome(nil, err, 0).(job.AttemptFailed)
		if !ok || !e.Permanent || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
		r.check(t, s.TempDir, false)
	}
	// the strict default refuses the test's own server
	before := asked.Load()
	err := smallStudio(t, nil).run(t.Context(), newRecorder(Payload{Prompt: "Red", ImageURL: address + "/red.png", Duration: 2}))
	if err == nil || asked.Load() != before {
		t.Errorf("%v, asked %d times", err, asked.Load()-before)
	}
}
