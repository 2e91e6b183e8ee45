// Package clip makes a short advertisement out of a text: a headline and its supporting lines over moving colour, or over a
// picture.
//
// The text is laid out and drawn here, in Go, with fonts that are built in; ffmpeg gets pictures and numbers only. So no
// character of a text is ever read as a filter, an option or a path, whatever the text says.
//
//	text ── Clean ── split ──▶ headline, paragraphs ── wrap ── draw ──▶ layers ─┐
//	text ── hash ──▶ palette ──▶ backdrop (or the picture, darkened) ───────────┴─▶ Scene
//	                                                                                 ├─▶ Poster: one frame, drawn here
//	                                                                                 ├─▶ FFmpeg: MP4 with sound
//	                                                                                 └─▶ GIF: drawn here, where there is no ffmpeg
//
// A scene looks the same on each of the three ways. The same text always gives the same clip.
package clip
