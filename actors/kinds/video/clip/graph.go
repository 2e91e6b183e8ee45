package clip

import (
	"fmt"
	"strconv"
	"strings"
)

// graph is the filter graph that puts the inputs together, as [v]. Only numbers go into it.
func (s *Scene) graph() string {
	var g []string
	add := func(format string, args ...any) { g = append(g, fmt.Sprintf(format, args...)) }
	still := fmt.Sprintf("loop=loop=-1:size=1,setpts=N/(%d*TB),trim=duration=%s", s.FPS, number(s.Duration+0.5))
	input := 0
	if s.photo != nil {
		b := s.photo.picture.Rect
		step := (s.photo.zoom - 1) / float64(s.Frames())
		add("[0:v]format=gbrp,zoompan=z='1+%.8f*on':x='(iw-iw/zoom)*%.3f':y='(ih-ih/zoom)*%.3f':d=%d:s=%dx%d:fps=%d,format=yuv420p[b0]",
			step, s.photo.dx, s.photo.dy, s.Frames()+s.FPS, b.Dx()/photoScale, b.Dy()/photoScale, s.FPS)
		input++
	} else {
		add("[0:v]%s,format=gbrp[c0]", still)
		for i, l := range s.backdrop.lights {
			x, y := l.drift.exprs()
			add("[%d:v]format=gbrap[i%d];[c%d][i%d]overlay=x='%s':y='%s':format=gbrp[c%d]", i+1, i, i, i, x, y, i+1)
		}
		last := len(s.backdrop.lights)
		add("[%d:v]format=gbrap[vg];[c%d][vg]overlay=format=gbrp,scale=%d:%d:flags=bilinear:out_color_matrix=bt709:out_range=tv,format=yuv420p[b0]", last+1, last, s.Width, s.Height)
		input += last + 2
	}
	for i, l := range s.layers {
		add("%s", l.filter(input+i, i, s))
	}
	pace := s.pace()
	add("[b%d]fade=t=in:st=0:d=%s,fade=t=out:st=%s:d=%s,setsar=1[v]", len(s.layers),
		number(fadeFromBlack*pace), number(s.Duration-fadeToBlack*pace), number(fadeToBlack*pace))
	return strings.Join(g, ";")
}

// filter lays the n-th layer, read from an input, over what is below it.
func (l layer) filter(input, n int, s *Scene) string {
	end := min(l.end, s.Duration+0.5)
	chain := fmt.Sprintf("[%d:v]format=rgba", input)
	if l.fadeIn > 0 || l.fadeOut > 0 {
		chain += fmt.Sprintf(",loop=loop=-1:size=1,setpts=N/(%d*TB),trim=duration=%s", s.FPS, number(end-l.start))
		if l.fadeIn > 0 {
			chain += ",fade=t=in:st=0:d=" + number(l.fadeIn) + ":alpha=1"
		}
		if l.fadeOut > 0 && l.end <= s.Duration {
			chain += ",fade=t=out:st=" + number(l.end-l.start-l.fadeOut) + ":d=" + number(l.fadeOut) + ":alpha=1"
		}
		chain += fmt.Sprintf(",setpts=PTS+%s/TB", number(l.start))
	}
	x, y, after := strconv.Itoa(l.at.X), strconv.Itoa(l.at.Y), "repeat"
	if l.slide > 0 {
		x += "+t*" + number(l.slide)
	}
	if l.rise > 0 {
		y += fmt.Sprintf("+%s*pow(1-clip((t-%s)/%s,0,1),3)", number(l.rise), number(l.start), number(max(l.fadeIn*1.6, 0.001)))
	}
	if l.fadeIn > 0 || l.fadeOut > 0 {
		after = "pass"
	}
	return fmt.Sprintf("%s[t%d];[b%d][t%d]overlay=x='%s':y='%s':eof_action=%s:enable='between(t,%s,%s)'[b%d]",
		chain, n, n, n, x, y, after, number(l.start), number(end), n+1)
}

// sound is two gentle voices a fifth or a third apart, as [a].
func (s *Scene) sound() string {
	root := 130.81 * []float64{1, 9.0 / 8, 5.0 / 4, 3.0 / 2, 5.0 / 3}[int(s.palette.pick(200)*5)]
	second := root * []float64{3.0 / 2, 5.0 / 4, 2}[int(s.palette.pick(201)*3)]
	voice := func(hertz, tremolo, depth float64) string {
		return fmt.Sprintf("sine=frequency=%.2f:sample_rate=44100:duration=%s,tremolo=f=%.2f:d=%.2f", hertz, number(s.Duration), tremolo, depth)
	}
	fade := min(1.2, s.Duration/4)
	return fmt.Sprintf("%s[a0];%s[a1];[a0][a1]amix=inputs=2,volume=1.4,lowpass=f=900,afade=t=in:d=%s,afade=t=out:st=%s:d=%s,aformat=channel_layouts=stereo[a]",
		voice(root, 0.35+0.3*s.palette.pick(202), 0.6), voice(second, 0.2+0.3*s.palette.pick(203), 0.8),
		number(fade), number(s.Duration-fade), number(fade))
}

// number writes a number as ffmpeg reads it.
func number(f float64) string { return strconv.FormatFloat(f, 'f', 4, 64) }
