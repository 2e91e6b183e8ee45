package cluster

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// Bounds of what nodes say to each other.
const (
	// MinSecret is the fewest bytes that a secret may have.
	MinSecret = 16
	// MaxEnvelope bounds a message on the wire, in bytes.
	MaxEnvelope = 256 << 10
	// MaxBody bounds a request or an answer, in bytes: an envelope without room for its head.
	MaxBody = MaxEnvelope - maxHead
	// MaxAsks bounds how many asks of a node wait at once, if their requests are small: those beyond wait for their turn.
	MaxAsks = maxWaiting / minWeight
	// MaxHandling bounds how many requests of others a node handles at once: those beyond are answered ErrFull.
	MaxHandling = 64
	// HandleWithin is the longest that a request of another may be handled.
	HandleWithin = 10 * time.Second
)

// Config says how a node listens to others and proves itself to them.
type Config struct {
	// Listen is the host:port to listen on; port 0 takes a free one.
	Listen string
	// Advertise is the host:port at which others reach this node; a port 0 stands for the one listened on. Empty: the one listened on,
	// if its host is a concrete address.
	Advertise string
	// CertFile, KeyFile and CAFile (PEM) are given all or not at all: then both ends of each connection show a certificate that
	// the authority signed. They are read again when they change.
	CertFile, KeyFile, CAFile string
	// Secret is common to all nodes: at least MinSecret bytes.
	Secret []byte
	// Node is this node's name.
	Node string
	// Handle answers a request of another node. It is called concurrently, at most MaxHandling at once, and its context ends after
	// HandleWithin, or earlier when the asker no longer waits. A panic is answered as an error.
	Handle func(ctx context.Context, from string, request []byte) ([]byte, error)
	Log    *slog.Logger
	// List is bound to the remoting by Start, if there is one.
	List *Static
}

// check finds what can't work, and reads the address to listen on. An error wraps persistence.ErrInvalid.
func (c *Config) check() (host string, port int, err error) {
	host, port, err = split(c.Listen)
	files := 0
	for _, f := range []string{c.CertFile, c.KeyFile, c.CAFile} {
		if f != "" {
			files++
		}
	}
	switch {
	case err != nil:
		err = fmt.Errorf("address to listen on: %w", err)
	case len(c.Secret) < MinSecret:
		err = fmt.Errorf("the secret has %d bytes: at least %d are needed", len(c.Secret), MinSecret)
	case !job.ValidName(c.Node):
		err = fmt.Errorf("node name %q is not valid", c.Node)
	case c.Handle == nil:
		err = fmt.Errorf("nothing handles the requests of other nodes")
	case files != 0 && files != 3:
		err = fmt.Errorf("certificate, key and authority are given all or not at all")
	case files == 0 && !loopback(host):
		err = fmt.Errorf("listen on %s: without certificates only a loopback address may be listened on", c.Listen)
	}
	if err != nil {
		return "", 0, fmt.Errorf("remoting: %w: %w", err, persistence.ErrInvalid)
	}
	return host, port, nil
}

// advertised is where others reach a node that listens on host and port. An error wraps persistence.ErrInvalid.
func (c *Config) advertised(host string, port int) (string, error) {
	if c.Advertise == "" {
		if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
			return "", fmt.Errorf("remoting: %s is no address that others can reach: the one to advertise must be given: %w", c.Listen, persistence.ErrInvalid)
		}
		return net.JoinHostPort(host, strconv.Itoa(port)), nil
	}
	to, at, err := split(c.Advertise)
	if ip := net.ParseIP(to); err == nil && (to == "" || ip != nil && ip.IsUnspecified()) {
		err = fmt.Errorf("%q has no host that others can reach", c.Advertise)
	}
	if err != nil {
		return "", fmt.Errorf("remoting: address to advertise: %w: %w", err, persistence.ErrInvalid)
	}
	if at == 0 {
		at = port
	}
	return net.JoinHostPort(to, strconv.Itoa(at)), nil
}

// split reads host:port.
func split(address string) (string, int, error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, err
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("%q has no valid port", address)
	}
	return host, int(port), nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
