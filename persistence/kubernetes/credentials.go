package kubernetes

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"sync"
	"time"
)

// credentials are the service account's, which Kubernetes renews in place.
type credentials struct {
	tokenFile, caFile string

	mu     sync.Mutex
	read   time.Time
	token  string
	ca     []byte
	client *http.Client
}

// freshFor is how long the files are not looked at again, unless the server refuses the token.
const freshFor = time.Minute

// now is the client and the token to use.
func (c *credentials) now() (*http.Client, string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.client != nil && time.Since(c.read) < freshFor {
		return c.client, c.token, nil
	}
	token, err := content(c.tokenFile)
	if err != nil {
		return nil, "", fmt.Errorf("read the service account's token: %w", err)
	}
	ca, err := content(c.caFile)
	if err != nil {
		return nil, "", fmt.Errorf("read the API server's CA: %w", err)
	}
	if c.client == nil || !bytes.Equal(ca, c.ca) {
		client, err := newClient(ca)
		if err != nil {
			return nil, "", fmt.Errorf("read the API server's CA in %s: %w", c.caFile, err)
		}
		c.closeIdle()
		c.client, c.ca = client, ca
	}
	c.token, c.read = string(bytes.TrimSpace(token)), time.Now()
	return c.client, c.token, nil
}

// refused has the files read again.
func (c *credentials) refused() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.read = time.Time{}
}

// close releases the connections.
func (c *credentials) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closeIdle()
}

func (c *credentials) closeIdle() {
	if c.client != nil {
		c.client.CloseIdleConnections()
	}
}

func content(file string) ([]byte, error) {
	if file == none {
		return nil, nil
	}
	return os.ReadFile(file)
}

func newClient(ca []byte) (*http.Client, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = nil
	if len(ca) > 0 {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(ca) {
			return nil, fmt.Errorf("no certificate in %d bytes", len(ca))
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, nil
}
