package httpapi

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/gorilla/mux"
)

// pagePolicy lets the page load its own files and speak to its own server, and nothing else.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
	"media-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'self'; form-action 'none'; frame-ancestors 'none'"

// page is the embedded page, read once: a handful of small files.
type page struct {
	files map[string]pageFile // by path, without a leading slash
}

type pageFile struct {
	content   []byte
	mediaType string
	tag       string
}

// maxPage bounds one file of the page.
const maxPage = 16 << 20

func newPage(ui fs.FS) *page {
	p := &page{files: map[string]pageFile{}}
	if ui == nil {
		return p
	}
	_ = fs.WalkDir(ui, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return nil //nolint:nilerr // a page that can't be read is served as far as it can
		}
		if info, err := entry.Info(); err != nil || info.Size() > maxPage {
			return nil //nolint:nilerr // as above
		}
		content, err := fs.ReadFile(ui, name)
		if err != nil {
			return nil //nolint:nilerr // as above
		}
		sum := sha256.Sum256(content)
		p.files[name] = pageFile{content, fileType(name), `"` + hex.EncodeToString(sum[:8]) + `"`}
		return nil
	})
	return p
}

// fileType does not ask the system's tables, which differ from machine to machine.
func fileType(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".json", ".map":
		return "application/json"
	case ".webmanifest":
		return "application/manifest+json"
	case ".woff2":
		return "font/woff2"
	}
	if guess := mime.TypeByExtension(path.Ext(name)); guess != "" {
		return guess
	}
	return "application/octet-stream"
}

// send serves one file: hashed ones for ever, others only after asking again.
func (p *page) send(w http.ResponseWriter, r *http.Request, name string, forever bool) bool {
	file, ok := p.files[name]
	if !ok {
		return false
	}
	header := w.Header()
	header.Set("Content-Type", file.mediaType)
	header.Set("Content-Security-Policy", pagePolicy)
	header.Set("ETag", file.tag)
	header.Set("Cache-Control", "no-cache")
	if forever {
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(file.content))
	return true
}

// serve takes the addresses that no route has: files beside the index, and the page's own addresses, which all show the index.
func (p *page) serve(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead || strings.HasPrefix(r.URL.Path, "/v1/") {
		return false
	}
	if p.send(w, r, strings.TrimPrefix(r.URL.Path, "/"), false) {
		return true
	}
	if path.Ext(r.URL.Path) != "" || !strings.Contains(r.Header.Get("Accept"), "text/html") {
		return false
	}
	return p.send(w, r, "index.html", false)
}

// index is GET /: the page, or where to go without one.
func (h *Handler) index(w http.ResponseWriter, r *http.Request) error {
	if h.page.send(w, r, "index.html", false) {
		return nil
	}
	return answer(w, http.StatusOK, map[string]string{"name": "troupe", "openapi": "/openapi.json", "ready": "/readyz"})
}

// asset is GET /assets/...: the page's files whose names change with their content.
func (h *Handler) asset(w http.ResponseWriter, r *http.Request) error {
	if h.page.send(w, r, "assets/"+mux.Vars(r)["file"], true) {
		return nil
	}
	return refuse("not_found", "there is no such file")
}
