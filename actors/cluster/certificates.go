package cluster

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// protocol is what a TLS connection must carry.
const protocol = "h2"

// certificatesEvery is how often the files are looked at, at most.
const certificatesEvery = time.Second

// certificates are this node's certificate and the authority of all, read again when a file changes. A change that can't be read keeps
// what there was.
type certificates struct {
	files [3]string // certificate, key, authority
	log   *slog.Logger

	mu     sync.Mutex
	looked time.Time
	loaded stamps
	failed string // so that the same failure is told once
	own    tls.Certificate
	roots  *x509.CertPool
}

// stamps tell a file that changed.
type stamps [3]struct {
	size int64
	time time.Time
}

// newCertificates reads the files; nil if there are none.
func newCertificates(c *Config) (*certificates, error) {
	if c.CertFile == "" {
		return nil, nil
	}
	cs := &certificates{files: [3]string{c.CertFile, c.KeyFile, c.CAFile}, log: c.Log}
	now, err := cs.stamp()
	if err == nil {
		err = cs.load(now)
	}
	if err != nil {
		return nil, fmt.Errorf("remoting: read the certificates: %w", err)
	}
	return cs, nil
}

func (c *certificates) stamp() (s stamps, err error) {
	for i, name := range c.files {
		info, err := os.Stat(name)
		if err != nil {
			return s, err
		}
		s[i].size, s[i].time = info.Size(), info.ModTime()
	}
	return s, nil
}

func (c *certificates) load(now stamps) error {
	own, err := tls.LoadX509KeyPair(c.files[0], c.files[1])
	if err != nil {
		return err
	}
	pem, err := os.ReadFile(c.files[2])
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return fmt.Errorf("%s holds no certificate", c.files[2])
	}
	c.own, c.roots, c.loaded = own, roots, now
	return nil
}

// current is what a handshake uses that begins now.
func (c *certificates) current() (tls.Certificate, *x509.CertPool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.looked) < certificatesEvery {
		return c.own, c.roots
	}
	c.looked = time.Now()
	now, err := c.stamp()
	if err == nil && now == c.loaded {
		return c.own, c.roots
	}
	if err == nil {
		err = c.load(now)
	}
	switch {
	case err == nil:
		c.failed = ""
		c.log.Info("the certificates of remoting have changed and were read")
	case c.failed != err.Error():
		c.failed = err.Error()
		c.log.Warn("the certificates of remoting have changed and can't be read: the ones before stay in use", "err", err)
	}
	return c.own, c.roots
}

func (c *certificates) server() *tls.Config {
	own, roots := c.current()
	return &tls.Config{
		MinVersion: tls.VersionTLS13, NextProtos: []string{protocol}, SessionTicketsDisabled: true,
		Certificates: []tls.Certificate{own}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: roots,
	}
}

// client verifies that the authority signed for the other end; which host it names does not matter, see the package's comment.
func (c *certificates) client() *tls.Config {
	own, roots := c.current()
	return &tls.Config{
		MinVersion: tls.VersionTLS13, NextProtos: []string{protocol},
		Certificates: []tls.Certificate{own}, InsecureSkipVerify: true,
		VerifyConnection: func(state tls.ConnectionState) error {
			if len(state.PeerCertificates) == 0 {
				return errors.New("the peer shows no certificate")
			}
			between := x509.NewCertPool()
			for _, cert := range state.PeerCertificates[1:] {
				between.AddCert(cert)
			}
			_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{
				Roots: roots, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
			})
			return err
		},
	}
}
