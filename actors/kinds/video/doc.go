// Package video is the kind video.generate: a prompt, and perhaps a picture, become a short clip for a page to play.
//
//	fetch ──▶ compose ──▶ render ──▶ store
//	  │          │           │         └ video.mp4 (or video.gif)
//	  │          │           └ ffmpeg, or the embedded fallback where there is none
//	  │          └ poster.jpg, stored early: the page shows it while the rest is made
//	  └ only with an imageUrl; source.jpg and a checkpoint: no later attempt fetches again
//
// An attempt that is cut off leaves nothing behind: its folder is removed and its ffmpeg ended, also when the whole process is killed
// (by the kernel, and by the next process that starts). Running a job twice does no harm: the same payload makes the same clip.
//
// Package clip makes the pictures and package fetch gets the one that a stranger names.
package video
