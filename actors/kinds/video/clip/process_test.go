package clip

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// children are the processes whose parent is pid, zombies excepted.
func children(pid int) (list []int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		data, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		fields := strings.Fields(string(data[strings.LastIndexByte(string(data), ')')+1:]))
		if parent, _ := strconv.Atoi(fields[1]); parent == pid && fields[0] != "Z" {
			child, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			list = append(list, child)
		}
	}
	return list
}

func runs(pid int) bool {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !slices.Contains(strings.Fields(string(data)), "Z")
}

// Killing the server outright leaves no ffmpeg behind.
func TestFFmpegDiesWithUs(t *testing.T) {
	program(t)
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("no /proc")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	server := exec.CommandContext(t.Context(), self)
	server.Env = append(os.Environ(), renderIn+"="+t.TempDir())
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	var started []int
	eventually(t, "ffmpeg starts", func() bool { started = children(server.Process.Pid); return len(started) > 0 })
	if err := server.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = server.Wait()
	for _, pid := range started {
		eventually(t, "ffmpeg ends", func() bool { return !runs(pid) })
	}
}

// A program that does not listen is killed after the grace.
func TestStubbornProgramIsKilled(t *testing.T) {
	folder := t.TempDir()
	script := filepath.Join(folder, "stubborn")
	if err := os.WriteFile(script, []byte("#!/bin/sh\ntrap '' TERM\necho ready\nwhile :; do read x </dev/zero || :; done\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	gone := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	var asked time.Time
	p := process{path: script, stdout: writerFunc(func(b []byte) (int, error) { asked = time.Now(); cancel(gone); return len(b), nil })}
	err := p.run(ctx)
	if took := time.Since(asked); !errors.Is(err, gone) || took < grace-time.Second || took > grace+3*time.Second {
		t.Errorf("%v after %s", err, took)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestProgressReader(t *testing.T) {
	var got []float64
	r := progressReader{duration: 2 * time.Second, report: func(part float64) { got = append(got, part) }}
	text := "frame=0\nout_time_us=N/A\nout_time_us=-23219\nout_time_ms=7\nout_time_us=500000\r\nprogress=continue\nout_time_us=2100000\nprogress=end\n"
	for i := range len(text) { // byte by byte
		_, _ = r.Write([]byte(text[i : i+1]))
	}
	_, _ = r.Write([]byte(strings.Repeat("x", 1<<20)))
	if !slices.Equal(got, []float64{0.25, 1}) || len(r.line) > maxProgressLine {
		t.Errorf("%v, %d bytes kept", got, len(r.line))
	}
}
