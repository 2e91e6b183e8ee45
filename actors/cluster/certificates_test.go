//go:build unix

package cluster_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// authority signs certificates for a test.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string
}

func block(kind string, data []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: data})
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "nodes"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{t: t, key: key, file: filepath.Join(t.TempDir(), "ca.pem")}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	write(t, a.file, block("CERTIFICATE", der))
	return a
}

// sign writes a certificate that is good until then, and its key, into a folder.
func (a *authority) sign(folder string, until time.Time) (cert, key string) {
	a.t.Helper()
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "node"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: until,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &own.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(own)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, key = filepath.Join(folder, "node.pem"), filepath.Join(folder, "node.key")
	write(a.t, cert, block("CERTIFICATE", der))
	write(a.t, key, block("EC PRIVATE KEY", secret))
	return cert, key
}

// node is a setting with a certificate of the authority.
func (a *authority) node(name string, until time.Time) setting {
	cert, key := a.sign(a.t.TempDir(), until)
	return setting{Node: name, Cert: cert, Key: key, CA: a.file}
}

func tomorrow() time.Time { return time.Now().Add(24 * time.Hour) }

// shut wants neither of two nodes to reach the other.
func shut(t *testing.T, a, b *remote, why string) {
	t.Helper()
	for _, p := range [][2]*remote{{a, b}, {b, a}} {
		if got := p[0].do(order{Do: "ask", Node: p[1].member.Name, Body: "hello", Within: 5 * time.Second}); !got.Unavailable || got.Took > 4*time.Second {
			t.Errorf("%s: node %s asks %s: %+v", why, p[0].member.Name, p[1].member.Name, got)
		}
	}
	for _, p := range []*remote{a, b} {
		if got := p.do(order{Do: "stats"}); got.Handled != 0 {
			t.Errorf("%s: node %s has handled %d requests", why, p.member.Name, got.Handled)
		}
	}
}

func TestWhoIsNotTrustedIsNotHeard(t *testing.T) {
	ours, theirs := newAuthority(t), newAuthority(t)
	a := start(t, ours.node("a", tomorrow()))
	wrong := ours.node("b", tomorrow())
	wrong.Secret = "another secret than the others have"
	mixed := theirs.node("b", tomorrow())
	mixed.CA = ours.file
	for why, s := range map[string]setting{
		"without certificates":               {Node: "b"},
		"another authority":                  theirs.node("b", tomorrow()),
		"a certificate of another authority": mixed,
		"a certificate that has expired":     ours.node("b", time.Now().Add(-time.Minute)),
		"another secret":                     wrong,
	} {
		b := start(t, s)
		know(a, b)
		shut(t, a, b, why)
		b.Quit()
	}
	b := start(t, ours.node("b", tomorrow()))
	know(a, b)
	a.says(b, "hello")
	b.says(a, "hello")
	got := a.do(order{Do: "burst", Node: "b", Body: "hello", Times: 1000, At: 1})
	t.Logf("one after the other, with TLS: p50 %s, p99 %s, longest %s", got.Lasted[0], got.Lasted[1], got.Lasted[2])
	a.Quit()
	b.Quit()
}

func TestWrongSecretWithoutTLS(t *testing.T) {
	a, b := start(t, setting{Node: "a"}), start(t, setting{Node: "b", Secret: "another secret than the others have"})
	know(a, b)
	shut(t, a, b, "another secret")
	a.Quit()
	b.Quit()
}

func TestCertificatesAreReadAgain(t *testing.T) {
	ours := newAuthority(t)
	folder := t.TempDir()
	cert, key := ours.sign(folder, time.Now().Add(5*time.Second))
	a := start(t, setting{Node: "a", Cert: cert, Key: key, CA: ours.file})
	b := start(t, ours.node("b", tomorrow()))
	know(a, b)
	a.says(b, "hello")
	b.says(a, "hello")
	anew := func() { // only new connections show certificates
		for _, p := range []*remote{a, b} {
			p.knows()
		}
		know(a, b)
	}
	good, err := os.ReadFile(cert)
	if err != nil {
		t.Fatal(err)
	}
	write(t, cert, []byte("half a certif"))
	for broke := time.Now(); time.Since(broke) < 1200*time.Millisecond; { // it looks once a second
		anew()
		a.says(b, "with the one before a file that is broken")
		b.says(a, "with the one before a file that is broken")
	}
	write(t, cert, good)
	eventually(t, "its certificate expires", 10*time.Second, func() bool {
		anew()
		return a.ask("b", "hello").Unavailable
	})
	if got := b.ask("a", "hello"); !got.Unavailable {
		t.Errorf("an expired certificate is shown to whom it asks, and to who asks it: %+v", got)
	}
	ours.sign(folder, tomorrow())
	took := eventually(t, "it shows the new one", 5*time.Second, func() bool {
		anew()
		return a.ask("b", "hello").Error == "" && b.ask("a", "hello").Error == ""
	})
	t.Logf("renewed: answers after %s", took)
	a.Quit()
	b.Quit()
}

func TestConfigurationsThatCanNotWork(t *testing.T) {
	ours := newAuthority(t)
	nowhere := ours.node("a", tomorrow())
	nowhere.Listen = "0.0.0.0:0"
	half := ours.node("a", tomorrow())
	half.Key = ""
	for why, s := range map[string]setting{
		"no TLS":                {Node: "a", Listen: "0.0.0.0:0", Advertise: "127.0.0.1:0"},
		"no TLS, any host":      {Node: "a", Listen: ":0", Advertise: "127.0.0.1:0"},
		"no TLS, a name":        {Node: "a", Listen: "example.com:80"},
		"nothing to advertise":  nowhere,
		"a short secret":        {Node: "a", Secret: "short"},
		"no port":               {Node: "a", Listen: "127.0.0.1"},
		"no valid name":         {Node: "a/b"},
		"a certificate, no key": half,
	} {
		if p, first := tryStart(t, s); !first.Invalid {
			t.Errorf("%s: %+v", why, first)
			p.Kill()
		}
	}
	a := start(t, setting{Node: "a"})
	if _, first := tryStart(t, setting{Node: "b", Listen: a.member.Address}); !first.Unavailable {
		t.Errorf("the port is taken: %+v", first)
	}
	a.Quit()
}
