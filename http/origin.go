package httpapi

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// ParseOrigins reads exact origins, such as https://studio.example, whose pages may ask this server. There is no wildcard.
func ParseOrigins(list []string) ([]string, error) {
	origins := make([]string, 0, len(list))
	for _, text := range list {
		text = strings.ToLower(strings.TrimSpace(text))
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.Contains(u.Host, "*") || u.Scheme+"://"+u.Host != text {
			return nil, fmt.Errorf("origin %.80q: want https://HOST or https://HOST:PORT, one exactly", text)
		}
		if u.Scheme == "http" { // browsers leave a scheme's own port out
			text = strings.TrimSuffix(text, ":80")
		} else {
			text = strings.TrimSuffix(text, ":443")
		}
		origins = append(origins, text)
	}
	return origins, nil
}

// What pages of other origins may send and read besides what is always allowed.
const (
	foreignMethods = "GET, HEAD, POST, PUT, PATCH, DELETE"
	foreignSends   = "Authorization, Cache-Control, Content-Type, Idempotency-Key, If-None-Match, If-Range, Last-Event-ID, Range"
	foreignReads   = "Accept-Ranges, Content-Range, Durability, ETag, Idempotent-Replayed, Location, Retry-After, Troupe-Node, X-Request-Id"
	preflightAge   = "7200" // seconds; browsers keep it no longer
)

// shareWith answers a page of another origin that it may read the answer, if its origin is listed, and says whether it is. Cookies
// are for the server's own pages: Access-Control-Allow-Credentials is never sent.
func (h *Handler) shareWith(header http.Header, origin string) bool {
	if len(h.cfg.Origins) == 0 {
		return false
	}
	header.Add("Vary", "Origin") // also where there was none: caches must not mix the two up
	if !slices.Contains(h.cfg.Origins, strings.ToLower(origin)) {
		return false
	}
	header.Set("Access-Control-Allow-Origin", origin)
	header.Set("Access-Control-Expose-Headers", foreignReads)
	return true
}

// preflight answers the question that a browser asks before it sends another origin's request.
func preflight(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	header := w.Header()
	header.Set("Access-Control-Allow-Methods", foreignMethods)
	header.Set("Access-Control-Allow-Headers", foreignSends)
	header.Set("Access-Control-Max-Age", preflightAge)
	header.Add("Vary", "Access-Control-Request-Method, Access-Control-Request-Headers")
	header.Del("Access-Control-Expose-Headers")
	w.WriteHeader(http.StatusNoContent)
	return true
}
