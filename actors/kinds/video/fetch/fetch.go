package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// Limits of one fetch, unless a Client says otherwise.
const (
	DefaultTimeout  = 15 * time.Second
	DefaultMaxBytes = 10 << 20
	MaxRedirects    = 3
)

// Client fetches images. Its zero value is ready and strict; it may be used by several goroutines at once.
type Client struct {
	Timeout  time.Duration // for everything, redirects and body included; 0: DefaultTimeout
	MaxBytes int64         // of the body; 0: DefaultMaxBytes
	Ports    []int         // allowed besides 80 and 443
	// Allow, if not nil, admits an address that is not public: an image host inside one's own network.
	Allow func(netip.Addr) bool
	// Resolver, if not nil, is asked for names in place of the system's.
	Resolver *net.Resolver
}

// RefusedError says that an address may not be fetched. It is fit for the person who gave it: where a name leads
// inside the network stays unsaid.
type RefusedError struct{ Reason string }

// Error is the reason.
func (e *RefusedError) Error() string { return e.Reason }

// Get fetches what the address names. Progress, if not nil, is told how much of the body has come, and its length if the
// server gave one (else -1).
//
// What no further attempt can mend is a job.Permanent error: a refused address, a missing or forbidden image, one that is too
// large. Time-outs, refused connections and the server's own troubles are plain errors, with job.RetryAfter where the server asks for it.
func (c *Client) Get(ctx context.Context, address string, progress func(done, length int64)) ([]byte, error) {
	u, err := ParseURL(address)
	if err != nil {
		return nil, job.Permanent(err)
	}
	timeout := positive(c.Timeout, DefaultTimeout)
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("no complete answer within %s", timeout))
	defer cancel()
	transport := c.transport()
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return nil, job.Permanent(fmt.Errorf("make a request: %w", err))
	}
	request.Header.Set("Accept", "image/webp,image/png,image/jpeg,image/gif")
	request.Header.Set("User-Agent", "troupe-video/1")
	client := &http.Client{Transport: transport, CheckRedirect: redirect}
	response, err := client.Do(request)
	if err != nil {
		return nil, classify(ctx, u, err)
	}
	defer response.Body.Close()
	if err := status(response); err != nil {
		return nil, err
	}
	return c.body(ctx, u, response, progress)
}

// transport makes a connection for one fetch only: nothing is shared between one stranger's fetch and the next one's.
func (c *Client) transport() *http.Transport {
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: -1, Resolver: c.Resolver, Control: c.control}
	return &http.Transport{
		Proxy:                  nil, // a proxy would resolve and connect where no rule of ours holds
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    5 * time.Second,
		ResponseHeaderTimeout:  10 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		DisableKeepAlives:      true,
		DisableCompression:     true, // images are compressed; a body that unfolds is an attack
	}
}

// control judges each connection once the name has become an address, just before the connection is made.
func (c *Client) control(network, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || (network != "tcp4" && network != "tcp6") {
		return &RefusedError{"the address is of an unknown form"}
	}
	if port := int(to.Port()); port != 80 && port != 443 && !slices.Contains(c.Ports, port) {
		return &RefusedError{fmt.Sprintf("port %d is not allowed; use 80 or 443", port)}
	}
	if !Public(to.Addr()) && (c.Allow == nil || !c.Allow(to.Addr())) {
		return &RefusedError{"it leads to an address that is not on the public internet"}
	}
	return nil
}

func redirect(next *http.Request, via []*http.Request) error {
	if len(via) > MaxRedirects {
		return &RefusedError{fmt.Sprintf("more than %d redirects", MaxRedirects)}
	}
	if err := check(next.URL); err != nil {
		return &RefusedError{"redirected to a refused address: " + err.Error()}
	}
	next.Header.Del("Referer")
	return nil
}

func status(response *http.Response) error {
	code := response.StatusCode
	err := fmt.Errorf("the server answered %d %s", code, http.StatusText(code))
	switch {
	case code == http.StatusOK:
		return nil
	case code == http.StatusRequestTimeout, code == http.StatusTooEarly, code == http.StatusTooManyRequests, code >= 500:
		if seconds, bad := strconv.Atoi(response.Header.Get("Retry-After")); bad == nil && seconds > 0 {
			return job.RetryAfter(min(time.Duration(seconds)*time.Second, time.Hour), err)
		}
		return err
	default:
		return job.Permanent(err)
	}
}

func (c *Client) body(ctx context.Context, u *url.URL, response *http.Response, progress func(done, length int64)) ([]byte, error) {
	limit := positive(c.MaxBytes, DefaultMaxBytes)
	tooLarge := job.Permanent(fmt.Errorf("the image is larger than %d bytes", limit))
	if response.ContentLength > limit {
		return nil, tooLarge
	}
	data := make([]byte, 0, max(response.ContentLength, 64<<10)+1)
	for {
		if len(data) == cap(data) {
			data = slices.Grow(data, len(data))
		}
		n, err := response.Body.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		if int64(len(data)) > limit {
			return nil, tooLarge
		}
		if progress != nil && n > 0 {
			progress(int64(len(data)), response.ContentLength)
		}
		if errors.Is(err, io.EOF) {
			return data, nil
		}
		if err != nil {
			return nil, classify(ctx, u, err)
		}
	}
}

// classify keeps what a person can use of a failed exchange.
func classify(ctx context.Context, u *url.URL, err error) error {
	if refused, ok := errors.AsType[*RefusedError](err); ok {
		return job.Permanent(fmt.Errorf("host %.80q: %w", u.Hostname(), refused))
	}
	if ctx.Err() != nil {
		return fmt.Errorf("host %.80q: %w", u.Hostname(), context.Cause(ctx))
	}
	if wrapped, ok := errors.AsType[*url.Error](err); ok { // it repeats the whole address
		err = wrapped.Err
	}
	return fmt.Errorf("host %.80q: %w", u.Hostname(), err)
}

func positive[N ~int64](n, otherwise N) N {
	if n > 0 {
		return n
	}
	return otherwise
}
