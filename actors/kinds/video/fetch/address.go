package fetch

import (
	"net/netip"
	"strings"
)

// reserved lists what is not the public internet, beyond what netip.Addr knows by itself (loopback, private, link-local,
// multicast, unspecified). From the IANA special-purpose registries; the v6 transition ranges are here because each
// carries a v4 address, which may be any.
var reserved = prefixes(
	"0.0.0.0/8",       // this network
	"100.64.0.0/10",   // carrier-grade NAT
	"192.0.0.0/24",    // protocol assignments
	"192.0.2.0/24",    // documentation
	"192.31.196.0/24", // AS112
	"192.52.193.0/24", // AMT
	"192.88.99.0/24",  // 6to4 relays
	"192.175.48.0/24", // AS112
	"198.18.0.0/15",   // benchmarks
	"198.51.100.0/24", // documentation
	"203.0.113.0/24",  // documentation
	"240.0.0.0/4",     // future use, and broadcast

	"::/96",         // v4-compatible
	"::ffff:0:0/96", // v4-mapped
	"::ffff:0:0:0/96",
	"64:ff9b::/96",   // NAT64
	"64:ff9b:1::/48", // local NAT64
	"100::/64",       // discard
	"2001::/23",      // protocol assignments, Teredo among them
	"2001:db8::/32",  // documentation
	"2002::/16",      // 6to4
	"3fff::/20",      // documentation
	"5f00::/16",      // segment routing
	"fc00::/7",       // unique local
	"fec0::/10",      // site-local
)

func prefixes(texts ...string) []netip.Prefix {
	list := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		list[i] = netip.MustParsePrefix(text)
	}
	return list
}

// Public says whether an address belongs to the public internet. An address with a zone never does, and a v4 address in
// v6 clothes is refused even if the v4 address is public: no honest name resolves to one.
func Public(a netip.Addr) bool {
	switch {
	case !a.IsValid(), a.Zone() != "", a.Is4In6(), !a.IsGlobalUnicast(), a.IsPrivate():
		return false
	}
	for _, p := range reserved {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// oddAddress says whether a host is an address in a spelling that some resolvers take for one and others for a name:
// 2130706433, 0x7f.1, 0177.0.0.1, ::ffff:127.0.0.1. By the rule of
// the URL standard: its last label is a number, yet it is not a v4 address.
func oddAddress(host string) bool {
	if a, err := netip.ParseAddr(host); err == nil {
		return a.Is4In6()
	}
	host = strings.TrimSuffix(host, ".")
	last := strings.ToLower(host[strings.LastIndexByte(host, '.')+1:])
	if last == "" {
		return true
	}
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return strings.Trim(last, "0123456789") == ""
}
