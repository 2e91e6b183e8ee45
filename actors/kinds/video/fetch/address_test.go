package fetch

import (
	"net/netip"
	"strings"
	"testing"
)

func TestPublicRefusesEverythingReserved(t *testing.T) {
	for _, text := range []string{
		"0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254",
		"169.254.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.170", "192.0.2.1", "192.88.99.1",
		"192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1",
		"255.255.255.255",
		"::", "::1", "::127.0.0.1", "::8.8.8.8", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::808:808",
		"64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "2002:808:808::1", "3fff::1", "fc00::1", "fd00:ec2::254",
		"fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "5f00::1",
	} {
		if Public(netip.MustParseAddr(text)) {
			t.Errorf("%s passes for public", text)
		}
	}
	if Public(netip.Addr{}) {
		t.Error("no address passes for public")
	}
	for _, text := range []string{"8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1", "198.20.0.1", "223.255.255.255", "2606:4700::1111", "2a00:1450::1"} {
		if !Public(netip.MustParseAddr(text)) {
			t.Errorf("%s is refused", text)
		}
	}
}

func TestParseURL(t *testing.T) {
	for text, want := range map[string]string{
		"file:///etc/passwd":                          "http or https",
		"gopher://example.com/":                       "http or https",
		"data:image/png;base64,AAAA":                  "http or https",
		"//example.com/a.png":                         "http or https",
		"example.com/a.png":                           "http or https",
		"":                                            "http or https",
		"http:example.com":                            "no host",
		"http:///a.png":                               "no host",
		"http://:80/":                                 "no host",
		"http://user:secret@example.com/":             "user or a password",
		"http://user@example.com/":                    "user or a password",
		"http://2130706433/":                          "usual form",
		"http://0x7f000001/":                          "usual form",
		"http://0x7f.0.0.1/":                          "usual form",
		"http://0177.0.0.1/":                          "usual form",
		"http://127.1/":                               "usual form",
		"http://017700000001/":                        "usual form",
		"http://127.0.0.1./":                          "usual form",
		"http://1.2.3.4.5/":                           "usual form",
		"http://[::ffff:127.0.0.1]/":                  "usual form",
		"http://[fe80::1%25eth0]/":                    "zone",
		"http://exa mple.com/":                        "not a URL",
		"http://example.com:port/":                    "not a URL",
		"http://example.com/\x00":                     "not a URL",
		"http://e.com/" + strings.Repeat("a", MaxURL): "at most",
	} {
		if _, err := ParseURL(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v, want %q", text, err, want)
		}
	}
	for _, text := range []string{"http://example.com/a.png", "https://example.com:443/a?b=c#d", "HTTP://EXAMPLE.com", "http://8.8.8.8/", "http://[2606:4700::1111]/", "http://bücher.example/ä.png"} {
		if _, err := ParseURL(text); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}
