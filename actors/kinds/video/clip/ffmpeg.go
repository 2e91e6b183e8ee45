package clip

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// FFmpeg renders scenes as MP4: H.264 and AAC, ready to be played while it loads.
type FFmpeg struct {
	Path     string // of the program
	Threads  int    // at most that many for each of its parts; 0: 2
	MaxBytes int64  // of the file; 0: DefaultMaxBytes

	// Said takes what the program complained of, line by line, once it has ended; nil: nobody.
	Said func(line string)
}

// DefaultMaxBytes bounds a rendered file.
const DefaultMaxBytes = 200 << 20

// Usable says whether the program can be run and has the encoders that are needed; if not, why.
func (f *FFmpeg) Usable(ctx context.Context) error {
	var out bytes.Buffer
	p := process{path: f.Path, args: []string{"-hide_banner", "-nostdin", "-loglevel", "error", "-encoders"}, stdout: &out}
	if err := p.run(ctx); err != nil {
		return fmt.Errorf("ask %s for its encoders: %w", f.Path, err)
	}
	for _, encoder := range []string{"libx264", "aac"} {
		if !strings.Contains(out.String(), " "+encoder+" ") {
			return fmt.Errorf("%s has no %s encoder", f.Path, encoder)
		}
	}
	return nil
}

// Render makes the clip in a folder of the caller's and returns the file's path. Progress, if not nil, is told the part that is done,
// 0 to 1, about four times a second. When the context ends, ffmpeg is ended and the context's cause returned.
// The file was checked: it is whole, streams and lasts as long as it should.
func (f *FFmpeg) Render(ctx context.Context, s *Scene, folder string, progress func(part float64)) (string, error) {
	inputs, err := s.writeInputs(ctx, folder)
	if err != nil {
		return "", err
	}
	if progress == nil {
		progress = func(float64) {}
	}
	const partial, whole = "clip.part", "clip.mp4"
	report := progressReader{duration: time.Duration(s.Duration * float64(time.Second)), report: progress}
	p := process{path: f.Path, args: f.args(s, inputs, partial), dir: folder, stdout: &report, said: f.Said}
	if err := p.run(ctx); err != nil {
		return "", err
	}
	if info, err := os.Stat(filepath.Join(folder, partial)); err != nil || info.Size() >= f.limit() {
		return "", fmt.Errorf("the rendered clip is missing or larger than %d bytes", f.limit())
	}
	path := filepath.Join(folder, whole)
	if err := os.Rename(filepath.Join(folder, partial), path); err != nil {
		return "", fmt.Errorf("keep the rendered clip: %w", err)
	}
	length, err := mp4Duration(path)
	if err != nil {
		return "", fmt.Errorf("check the rendered clip: %w", err)
	}
	if off := length.Seconds() - s.Duration; off < -0.25 || off > 0.25 {
		return "", fmt.Errorf("check the rendered clip: it lasts %s, want %.2fs", length, s.Duration)
	}
	progress(1)
	return path, nil
}

func (f *FFmpeg) limit() int64 {
	if f.MaxBytes < 1 {
		return DefaultMaxBytes
	}
	return f.MaxBytes
}

// args is the command line. It is made of numbers and of names that are fixed here.
func (f *FFmpeg) args(s *Scene, inputs []string, output string) []string {
	threads := f.Threads
	if threads < 1 {
		threads = 2
	}
	n, rate := strconv.Itoa(threads), strconv.Itoa(s.FPS)
	args := []string{
		"-hide_banner", "-nostdin", "-nostats", "-loglevel", "error", "-y",
		"-progress", "pipe:1", "-stats_period", "0.25",
		"-filter_threads", n, "-filter_complex_threads", n,
	}
	for _, name := range inputs {
		args = append(args, "-threads", "1", "-framerate", rate, "-f", "image2", "-pattern_type", "none", "-i", name)
	}
	return append(args,
		"-filter_complex", s.graph()+";"+s.sound(),
		"-map", "[v]", "-map", "[a]",
		"-c:v", "libx264", "-preset", "veryfast", "-crf", "21", "-profile:v", "high", "-pix_fmt", "yuv420p", "-g", strconv.Itoa(2*s.FPS),
		"-color_range", "tv", "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709",
		"-c:a", "aac", "-b:a", "96k", "-ar", "44100", "-ac", "2",
		"-threads", n, "-t", number(s.Duration), "-fs", strconv.FormatInt(f.limit(), 10),
		"-map_metadata", "-1", "-movflags", "+faststart", "-f", "mp4", output,
	)
}

// writeInputs puts the scene's pictures into a folder and returns their names, in the order in which graph counts them.
func (s *Scene) writeInputs(ctx context.Context, folder string) ([]string, error) {
	var names []string
	write := func(name string, picture image.Image) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		names = append(names, name)
		return writePicture(filepath.Join(folder, name), picture)
	}
	var failed error
	if s.photo != nil {
		failed = write("photo.jpg", s.photo.picture)
	} else {
		failed = write("ground.png", s.backdrop.ground)
		for i, l := range s.backdrop.lights {
			failed = errors.Join(failed, write(fmt.Sprintf("light%d.png", i), l.picture))
		}
		failed = errors.Join(failed, write("vignette.png", s.backdrop.vignette))
	}
	for i, l := range s.layers {
		failed = errors.Join(failed, write(fmt.Sprintf("layer%02d.png", i), l.picture))
	}
	return names, failed
}

func writePicture(path string, picture image.Image) error {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write a layer: %w", err)
	}
	if strings.HasSuffix(path, ".jpg") {
		err = jpeg.Encode(file, picture, &jpeg.Options{Quality: 92})
	} else {
		err = (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(file, picture)
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("write a layer: %w", err)
	}
	return nil
}

// FindFFmpeg is the ffmpeg on the search path, or "".
func FindFFmpeg() string {
	path, err := exec.LookPath("ffmpeg")
	if err != nil {
		return ""
	}
	if path, err = filepath.Abs(path); err != nil {
		return ""
	}
	return path
}
