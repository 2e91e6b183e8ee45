package clip

import (
	"bytes"
	"strconv"
	"time"
)

// progressReader reads what ffmpeg writes for -progress: lines of key=value, of which out_time_us says how far the output has come.
type progressReader struct {
	duration time.Duration
	report   func(part float64)
	line     []byte
}

// maxProgressLine bounds a line; what is longer is not ffmpeg's progress.
const maxProgressLine = 1 << 10

// Write implements io.Writer.
func (r *progressReader) Write(p []byte) (int, error) {
	n := len(p)
	for {
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			break
		}
		r.read(append(r.line, p[:end]...))
		r.line, p = r.line[:0], p[end+1:]
	}
	r.line = append(r.line, p[:min(len(p), maxProgressLine-min(len(r.line), maxProgressLine))]...)
	return n, nil
}

func (r *progressReader) read(line []byte) {
	key, value, _ := bytes.Cut(bytes.TrimSpace(line), []byte("="))
	if string(key) != "out_time_us" {
		return
	}
	us, err := strconv.ParseInt(string(value), 10, 64) // "N/A" and a negative number stand at the beginning
	if err != nil || us <= 0 || r.duration <= 0 {
		return
	}
	r.report(min(1, float64(us)/float64(r.duration.Microseconds())))
}
