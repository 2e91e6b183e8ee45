package httpapi

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"
)

// exchange is one request and what became of it, for the log and the metrics. It belongs to the request's goroutine.
type exchange struct {
	requestID string
	route     string // the template, never the path
	caller
	ip        string
	secure    bool // TLS, here or at a trusted proxy
	foreign   bool // sent by a page of another, listed origin
	streaming bool
	status    int
	bytes     int64
	err       error // behind a 5xx
	end       string
	then      func() // goes on once the handler has returned
}

type exchangeKey struct{}

func exchangeOf(r *http.Request) *exchange {
	x, _ := r.Context().Value(exchangeKey{}).(*exchange)
	if x == nil {
		panic("httpapi: a handler outside of the chain")
	}
	return x
}

// recorder notes status and size. Unwrap keeps flushes and deadlines working through it.
type recorder struct {
	http.ResponseWriter
	*exchange
}

func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// observe opens the exchange, and logs and counts it at its end. No header, query or body is ever logged.
func (h *Handler) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		x := &exchange{requestID: rand.Text()[:16], route: "unmatched"}
		x.ip, x.secure = remote(r, h.cfg.Proxies)
		rec := &recorder{w, x}
		rec.Header().Set("X-Request-Id", x.requestID)
		if h.cfg.Name != "" {
			rec.Header().Set("Troupe-Node", h.cfg.Name)
		}
		r = r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x))
		defer func() {
			if cause := recover(); cause != nil {
				if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
					panic(cause)
				}
				h.log.Error("a handler panicked", "request_id", x.requestID, "route", x.route, "panic", cause, "stack", string(debug.Stack()))
				if x.status != 0 { // half an answer must not look like a whole one
					h.finish(r, x, time.Since(began))
					panic(http.ErrAbortHandler)
				}
				h.fail(rec, r, refuse("internal", "panic"))
			}
			h.finish(r, x, time.Since(began))
		}()
		next.ServeHTTP(rec, r)
		if x.then != nil {
			x.then()
		}
	})
}

func (h *Handler) finish(r *http.Request, x *exchange, took time.Duration) {
	if x.status == 0 {
		x.status = http.StatusOK
	}
	if !x.streaming {
		h.metrics.requests.WithLabelValues(x.route, methodLabel(r.Method), strconv.Itoa(x.status/100)+"xx").Observe(took.Seconds())
	}
	level := slog.LevelInfo
	switch {
	case x.err != nil:
		level = slog.LevelWarn
	case x.route == "/healthz", x.route == "/readyz", x.route == "/metrics", (r.Method == http.MethodGet || r.Method == http.MethodHead) && x.status < 400:
		level = slog.LevelDebug
	}
	if !h.log.Enabled(r.Context(), level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("request_id", x.requestID), slog.String("method", methodLabel(r.Method)), slog.String("path", cut(r.URL.Path, 200)),
		slog.String("route", x.route), slog.Int("status", x.status), slog.Int64("bytes", x.bytes), slog.Duration("took", took),
		slog.String("ip", x.ip), slog.String("proto", r.Proto),
	}
	if x.principal != "" {
		attrs = append(attrs, slog.String("principal", x.principal))
	}
	if x.end != "" {
		attrs = append(attrs, slog.String("end", x.end))
	}
	if x.err != nil {
		attrs = append(attrs, slog.String("error", x.err.Error()))
	}
	h.log.LogAttrs(r.Context(), level, "request", attrs...)
}

// methodLabel bounds what a client can put into labels and logs.
func methodLabel(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}

func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	return s[:limit]
}
