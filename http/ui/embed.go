// Package ui holds the pages that the binary serves: their sources, written in TypeScript, and what was built from them
// (npm ci && npm run build), which is committed so that the module builds without Node.
package ui

import (
	"embed"
	"fmt"
	"io/fs"
)

//go:embed all:dist
var built embed.FS

// Dist is the built pages as they are to be served: index.html at the root, and under assets/ the files whose names
// carry a hash of their content, which never change. The pages load nothing from elsewhere and nothing inline, so that
// a Content-Security-Policy of 'self' for scripts, styles, images, media and connections holds.
func Dist() fs.FS {
	dist, err := fs.Sub(built, "dist")
	if err != nil {
		panic(fmt.Sprintf("ui: embedded pages: %v", err)) // only an invalid path is an error, and it is a constant
	}
	return dist
}
