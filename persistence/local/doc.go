// Package local holds what one node needs no server for: Artifacts, a directory of files, and Bus, which carries word
// within one process.
//
// A directory serves several nodes as well if they share its file system and that keeps the promises of rename and fsync.
package local
