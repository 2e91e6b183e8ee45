package httpapi

import (
	"net/http/httptest"
	"testing"
)

func TestWhereARequestComesFrom(t *testing.T) {
	t.Parallel()
	trusted, err := ParseProxies([]string{"10.0.0.0/8", "192.0.2.1", "2001:db8::/32", "::ffff:172.16.0.0/108"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, peer string
		headers    []string
		want       string
		secure     bool
	}{
		{"nobody in between", "203.0.113.9:1", nil, "203.0.113.9", false},
		{"a stranger's header", "203.0.113.9:1", []string{"X-Forwarded-For", "198.51.100.1", "X-Forwarded-Proto", "https"}, "203.0.113.9", false},
		{"one proxy", "10.1.1.1:1", []string{"X-Forwarded-For", "198.51.100.1", "X-Forwarded-Proto", "https"}, "198.51.100.1", true},
		{"one proxy, by IPv6", "[2001:db8::1]:1", []string{"X-Forwarded-For", "198.51.100.1"}, "198.51.100.1", false},
		{"a mapped address", "[::ffff:10.1.1.1]:1", []string{"X-Forwarded-For", "::ffff:198.51.100.1"}, "198.51.100.1", false},
		{"a mapped network", "172.16.5.5:1", []string{"X-Forwarded-For", "198.51.100.1"}, "198.51.100.1", false},
		{"what the client made up", "10.1.1.1:1", []string{"X-Forwarded-For", "1.1.1.1, 198.51.100.1"}, "198.51.100.1", false},
		{"and in a header of its own", "10.1.1.1:1", []string{"X-Forwarded-For", "1.1.1.1", "X-Forwarded-For", "198.51.100.1"}, "198.51.100.1", false},
		{"nonsense beyond the hop", "10.1.1.1:1", []string{"X-Forwarded-For", "nonsense, 198.51.100.1"}, "198.51.100.1", false},
		{"three proxies", "10.1.1.1:1", []string{"X-Forwarded-For", "198.51.100.1, 192.0.2.1, 10.9.9.9"}, "198.51.100.1", false},
		{"proxies only", "10.1.1.1:1", []string{"X-Forwarded-For", "10.0.0.7, 10.9.9.9"}, "10.0.0.7", false},
		{"a proxy that says nothing", "10.1.1.1:1", nil, "10.1.1.1", false},
		{"a proxy that says nonsense", "10.1.1.1:1", []string{"X-Forwarded-For", "198.51.100.1, unknown"}, "10.1.1.1", false},
		{"an empty hop", "10.1.1.1:1", []string{"X-Forwarded-For", "198.51.100.1,"}, "10.1.1.1", false},
		{"with ports", "10.1.1.1:1", []string{"X-Forwarded-For", "[2001:dc8::5]:443, 10.9.9.9:80"}, "2001:dc8::5", false},
		{"in brackets", "10.1.1.1:1", []string{"X-Forwarded-For", "[2001:dc8::5]"}, "2001:dc8::5", false},
		{"https before http", "10.1.1.1:1", []string{"X-Forwarded-Proto", "https, http"}, "10.1.1.1", true},
		{"http", "10.1.1.1:1", []string{"X-Forwarded-Proto", "http"}, "10.1.1.1", false},
		{"a socket", "@", []string{"X-Forwarded-For", "198.51.100.1"}, "@", false},
	} {
		r := httptest.NewRequest("GET", "http://troupe/", nil)
		r.RemoteAddr = c.peer
		for i := 0; i < len(c.headers); i += 2 {
			r.Header.Add(c.headers[i], c.headers[i+1])
		}
		if ip, secure := remote(r, trusted); ip != c.want || secure != c.secure {
			t.Errorf("%s: %s, %t", c.name, ip, secure)
		}
	}
	for _, bad := range []string{"", "10.0.0.0/99", "10.0.0", "proxy.example", "fe80::1%eth0", "::ffff:0.0.0.0/90"} {
		if _, err := ParseProxies([]string{bad}); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	for ip, want := range map[string]string{
		"198.51.100.1": "198.51.100.1", "::ffff:198.51.100.1": "::ffff:198.51.100.1", "2001:db8:1:2:3::4": "2001:db8:1:2::/64", "@": "@",
	} {
		if got := neighbourhood(ip); got != want {
			t.Errorf("%s is counted as %s", ip, got)
		}
	}
}

func FuzzForwardedFor(f *testing.F) {
	f.Add("198.51.100.1, 10.9.9.9:80")
	f.Add("[::1]:1,,")
	trusted, err := ParseProxies([]string{"10.0.0.0/8"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, header string) {
		r := httptest.NewRequest("GET", "http://troupe/", nil)
		r.RemoteAddr = "10.1.1.1:1"
		r.Header["X-Forwarded-For"] = []string{header}
		if ip, _ := remote(r, trusted); len(ip) > 45 || ip == "" {
			t.Errorf("%q is %q", header, ip)
		}
	})
}
