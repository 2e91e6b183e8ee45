package httpapi

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// ParseProxies reads networks, such as 10.0.0.0/8, and single addresses of proxies to be believed.
func ParseProxies(list []string) ([]netip.Prefix, error) {
	proxies := make([]netip.Prefix, 0, len(list))
	for _, text := range list {
		text = strings.TrimSpace(text)
		prefix, err := netip.ParsePrefix(text)
		if addr, addrErr := netip.ParseAddr(text); addrErr == nil && addr.Zone() == "" {
			prefix, err = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		if err != nil {
			return nil, fmt.Errorf("trusted proxy %.80q: want an address or a network such as 10.0.0.0/8", text)
		}
		if addr := prefix.Addr(); addr.Is4In6() { // 10.0.0.1 must be within ::ffff:10.0.0.0/104, too
			if prefix.Bits() < 96 {
				return nil, fmt.Errorf("trusted proxy %.80q: write it as an IPv4 network", text)
			}
			prefix = netip.PrefixFrom(addr.Unmap(), prefix.Bits()-96)
		}
		proxies = append(proxies, prefix.Masked())
	}
	return proxies, nil
}

// remote is where a request comes from: the peer; or, if that is a trusted proxy, the nearest hop before it that is none, and
// whether the outermost proxy was spoken to over TLS. A header that can't be read says nothing: then it is the peer.
func remote(r *http.Request, trusted []netip.Prefix) (ip string, secure bool) {
	secure = r.TLS != nil
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr, secure
	}
	peer, err := netip.ParseAddr(host)
	if err != nil || !trusts(trusted, peer) {
		return host, secure
	}
	proto, _, _ := strings.Cut(r.Header.Get("X-Forwarded-Proto"), ",")
	secure = secure || strings.EqualFold(strings.TrimSpace(proto), "https")
	if hop, ok := forwardedFor(r.Header.Values("X-Forwarded-For"), trusted); ok {
		return hop.String(), secure
	}
	return host, secure
}

func trusts(trusted []netip.Prefix, addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	return slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// forwardedFor walks the hops from the nearest on, which each proxy has written at the end, to the first that is not trusted. Of a
// chain of trusted ones only, it is the farthest. What lies beyond is whatever the client wrote, and is not even read.
func forwardedFor(values []string, trusted []netip.Prefix) (hop netip.Addr, ok bool) {
	hops := strings.Split(strings.Join(values, ","), ",")
	for _, text := range slices.Backward(hops[max(0, len(hops)-maxHops):]) {
		addr, err := hopAddr(strings.TrimSpace(text))
		if err != nil {
			return netip.Addr{}, false
		}
		hop = addr.Unmap().WithZone("")
		if !trusts(trusted, hop) {
			return hop, true
		}
	}
	return hop, hop.IsValid()
}

// hopAddr reads an address; some proxies add the port.
func hopAddr(text string) (netip.Addr, error) {
	if addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]")); err == nil {
		return addr, nil
	}
	withPort, err := netip.ParseAddrPort(text)
	return withPort.Addr(), err
}

// neighbourhood is what is counted as one address: a machine that has an IPv6 address has a whole /64 of them.
func neighbourhood(ip string) string {
	if addr, err := netip.ParseAddr(ip); err == nil && addr.Unmap().Is6() {
		if prefix, err := addr.WithZone("").Prefix(64); err == nil {
			return prefix.String()
		}
	}
	return ip
}
