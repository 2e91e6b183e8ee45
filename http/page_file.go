package httpapi

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

const (
	maxPage = 16 << 20 // bytes of one file of the page
	minPack = 1 << 10  // bytes below which a file is not worth packing
)

// pageFile is one file of the page. It is packed once, when it is first asked for by a client that takes it so.
type pageFile struct {
	content      []byte
	mediaType    string
	tag          string
	packedTag    string // another representation has another tag
	compressible bool
	packed       func() []byte // nil if packing makes it no smaller
}

func newPageFile(name string, content []byte) *pageFile {
	sum := sha256.Sum256(content)
	tag := hex.EncodeToString(sum[:8])
	f := &pageFile{content: content, mediaType: fileType(name), tag: `"` + tag + `"`, packedTag: `"` + tag + `-gz"`}
	f.compressible = len(content) >= minPack && packs(f.mediaType)
	f.packed = sync.OnceValue(func() []byte { return pack(content) })
	return f
}

func packs(mediaType string) bool {
	return strings.HasPrefix(mediaType, "text/") || strings.HasSuffix(mediaType, "json") || mediaType == "image/svg+xml"
}

func pack(content []byte) []byte {
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return nil
	}
	if _, err := w.Write(content); err != nil {
		return nil
	}
	if err := w.Close(); err != nil || packed.Len() >= len(content) {
		return nil
	}
	return packed.Bytes()
}

// takesGzip says whether the client reads gzip. A part of a file is sent of the file itself.
func takesGzip(r *http.Request) bool {
	if r.Header.Get("Range") != "" {
		return false
	}
	for _, one := range strings.Split(r.Header.Get("Accept-Encoding"), ",") {
		coding, weight, _ := strings.Cut(one, ";")
		if strings.TrimSpace(coding) != "gzip" {
			continue
		}
		value, ok := strings.CutPrefix(strings.TrimSpace(weight), "q=")
		q, err := strconv.ParseFloat(value, 64)
		return !ok || err == nil && q > 0
	}
	return false
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
