//go:build unix

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// remoting is the flags that have a node listen to its peers at one address, which they find at another.
func (c *cluster) remoting(listen, advertise string) []string {
	return []string{"--remote-listen", listen, "--remote-advertise", advertise}
}

// certificates is the flags that have a node show a certificate for its address to its peers.
func (c *cluster) certificates(address string) []string {
	c.t.Helper()
	if c.authority == nil {
		c.authority = newAuthority()
		c.writePEM("ca.pem", "CERTIFICATE", c.authority.certificate.Raw)
	}
	key, certificate, err := c.authority.sign(address)
	if err != nil {
		c.t.Fatal(err)
	}
	c.writePEM(address+".pem", "CERTIFICATE", certificate)
	c.writePEM(address+".key", "PRIVATE KEY", key)
	return []string{
		"--remote-cert", filepath.Join(c.dir, address+".pem"), "--remote-key", filepath.Join(c.dir, address+".key"), "--remote-ca", filepath.Join(c.dir, "ca.pem"),
	}
}

func (c *cluster) writePEM(name, kind string, data []byte) {
	c.t.Helper()
	if err := os.WriteFile(filepath.Join(c.dir, name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: data}), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// authority signs the certificates of one cluster's nodes.
type authority struct {
	key         *ecdsa.PrivateKey
	certificate *x509.Certificate
}

func newAuthority() *authority {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "nodes"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	certificate, err := x509.ParseCertificate(raw)
	if err != nil {
		panic(err)
	}
	return &authority{key, certificate}
}

// sign makes a key and a certificate for an address.
func (a *authority) sign(address string) (key, certificate []byte, err error) {
	fresh, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: address}, IPAddresses: []net.IP{net.ParseIP(address)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	if certificate, err = x509.CreateCertificate(rand.Reader, template, a.certificate, &fresh.PublicKey, a.key); err != nil {
		return nil, nil, err
	}
	key, err = x509.MarshalPKCS8PrivateKey(fresh)
	return key, certificate, err
}
