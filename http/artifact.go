package httpapi

import (
	"context"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// artifact is GET /v1/jobs/{id}/artifacts/{name}, with ranges and validators. What a handler made is not trusted: it
// is shown in place only if it is a picture, a film or a sound, and it may run nothing.
func (h *Handler) artifact(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	fileName := mux.Vars(r)["name"]
	if !job.ValidName(fileName) {
		return refuse("not_found", "there is no such artifact")
	}
	ctx, cancel := context.WithTimeout(r.Context(), apiTimeout)
	defer cancel()
	described, file, err := h.node.OpenArtifact(ctx, id, fileName)
	if err != nil {
		return err
	}
	defer file.Close()
	mediaType, shown := artifactType(described.Type)
	disposition := "attachment"
	if shown {
		disposition = "inline"
	}
	header := w.Header()
	header.Set("Content-Type", mediaType)
	header.Set("Content-Disposition", mime.FormatMediaType(disposition, map[string]string{"filename": fileName}))
	header.Set("Content-Security-Policy", "default-src 'none'; media-src 'self'; img-src 'self'; style-src 'unsafe-inline'; sandbox")
	header.Set("Cache-Control", "private, no-cache")
	header.Set("ETag", `"`+described.ETag+`"`)
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	http.ServeContent(&patientWriter{ResponseWriter: w}, r, "", file.Modified(), file)
	return nil
}

// artifactType is the type to serve a file as, and whether a browser may show it in place.
func artifactType(claimed string) (mediaType string, shown bool) {
	media, _, err := mime.ParseMediaType(claimed)
	if err != nil {
		return "application/octet-stream", false
	}
	class, _, _ := strings.Cut(media, "/")
	switch {
	case media == "image/svg+xml", strings.HasSuffix(media, "+xml"):
		return media, false
	case class == "video", class == "image", class == "audio":
		return media, true
	case class == "text":
		return media + "; charset=utf-8", false
	}
	return media, false
}

// patientWriter gives each write the whole writeTimeout, so that a large file may take its time and a stalled reader may not.
type patientWriter struct {
	http.ResponseWriter
	armed time.Time
}

func (w *patientWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *patientWriter) Write(p []byte) (int, error) {
	if now := time.Now(); now.Sub(w.armed) > time.Second {
		w.armed = now
		// A connection without deadlines has none to extend.
		_ = http.NewResponseController(w.ResponseWriter).SetWriteDeadline(now.Add(writeTimeout))
	}
	return w.ResponseWriter.Write(p)
}
