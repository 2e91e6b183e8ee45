package httpapi

import (
	"bytes"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/gorilla/mux"
)

// pagePolicy lets the page load its own files and speak to its own server, and nothing else. Its base is of the same server.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
	"media-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'self'; form-action 'none'; frame-ancestors 'none'"

// maxPageDepth bounds the slashes of an address of the pages, of which each number is a variant of the index.
const maxPageDepth = 8

// page is the embedded page, read once: a handful of small files. Its addresses are the index's, which says by a relative
// <base> where the root is, so that the page works below any prefix that a proxy strips.
type page struct {
	files map[string]*pageFile // by path, without a leading slash
	index [maxPageDepth + 1]*pageFile
}

func newPage(ui fs.FS) *page {
	p := &page{files: map[string]*pageFile{}}
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
		p.files[name] = newPageFile(name, content)
		return nil
	})
	if index, ok := p.files["index.html"]; ok {
		for depth := range p.index {
			root := "./" + strings.Repeat("../", depth)
			p.index[depth] = newPageFile("index.html", bytes.Replace(index.content, []byte(`<base href="/"`), []byte(`<base href="`+root+`"`), 1))
		}
	}
	return p
}

// send serves one file: hashed ones for ever, others only after asking again.
func send(w http.ResponseWriter, r *http.Request, file *pageFile, forever bool) bool {
	if file == nil {
		return false
	}
	header := w.Header()
	header.Set("Content-Type", file.mediaType)
	header.Set("Content-Security-Policy", pagePolicy)
	header.Set("Cache-Control", "no-cache")
	if forever {
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	content, tag := file.content, file.tag
	if file.compressible {
		header.Set("Vary", "Accept-Encoding")
		if packed := file.packed(); packed != nil && takesGzip(r) {
			content, tag = packed, file.packedTag
			header.Set("Content-Encoding", "gzip")
		}
	}
	header.Set("ETag", tag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	return true
}

// serve takes the addresses that no route has: files beside the index, and the page's own addresses, which all show the index.
func (p *page) serve(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	if name := strings.TrimPrefix(r.URL.Path, "/"); name != "index.html" && !strings.HasPrefix(name, "assets/") && send(w, r, p.files[name], false) {
		return true
	}
	if !isPageAddress(r.URL.Path) || path.Ext(r.URL.Path) != "" || !strings.Contains(r.Header.Get("Accept"), "text/html") {
		return false
	}
	return p.sendIndex(w, r)
}

func isPageAddress(at string) bool {
	return at == "/studio" || at == "/ops" || strings.HasPrefix(at, "/ops/")
}

// sendIndex serves the index for an address as deep as the request's. An escaped slash is none to a browser.
func (p *page) sendIndex(w http.ResponseWriter, r *http.Request) bool {
	depth := strings.Count(r.URL.EscapedPath(), "/") - 1
	return depth >= 0 && depth < len(p.index) && send(w, r, p.index[depth], false)
}

// index is GET /: the page, or where to go without one.
func (h *Handler) index(w http.ResponseWriter, r *http.Request) error {
	if h.page.sendIndex(w, r) {
		return nil
	}
	return answer(w, http.StatusOK, map[string]string{"name": "troupe", "openapi": "/openapi.json", "ready": "/readyz"})
}

// asset is GET /assets/...: the page's files whose names change with their content.
func (h *Handler) asset(w http.ResponseWriter, r *http.Request) error {
	if send(w, r, h.page.files["assets/"+mux.Vars(r)["file"]], true) {
		return nil
	}
	return refuse("not_found", "there is no such file")
}
