package httpapi

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
)

// CheckBind refuses to listen where strangers could reach a server that asks for no token. Listen is host:port; an
// empty host is every interface.
func CheckBind(listen string, hasTokens bool) error {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return fmt.Errorf("listen address %q: %w", listen, err)
	}
	if hasTokens || isLoopback(host) {
		return nil
	}
	return fmt.Errorf("listen address %q can be reached from other machines and no token is configured: "+
		"set a token (TROUPE_TOKEN), or listen on 127.0.0.1", listen)
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return ip != nil && ip.IsLoopback()
}

// guard sets the headers that every answer carries, and refuses requests that a foreign page made a browser send.
func (h *Handler) guard(next http.Handler) http.Handler {
	origin := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("X-Frame-Options", "DENY")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		if len(h.cfg.Tokens) == 0 && !h.servesHost(r.Host) {
			h.fail(w, r, refuse("forbidden", "this server asks for no token and serves localhost only, not %.80q", r.Host))
			return
		}
		listed := h.shareWith(header, r.Header.Get("Origin"))
		if listed && preflight(w, r) {
			return
		}
		if err := origin.Check(r); err != nil {
			if !listed {
				h.fail(w, r, refuse("forbidden", "%s", err))
				return
			}
			exchangeOf(r).foreign = true
		}
		next.ServeHTTP(w, r)
	})
}

func (h *Handler) servesHost(hostport string) bool {
	host := hostport
	if name, _, err := net.SplitHostPort(hostport); err == nil {
		host = name
	}
	return isLoopback(host) || slices.ContainsFunc(h.cfg.Hosts, func(allowed string) bool {
		return strings.EqualFold(allowed, host) || strings.EqualFold(allowed, hostport)
	})
}
