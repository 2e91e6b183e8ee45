package httpapi

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Server listens for a Handler, within bounds.
type Server struct {
	handler  *Handler
	http     *http.Server
	listen   string
	maxConns int

	mu       sync.Mutex
	deadline time.Time // of the shutdown
}

// ServerConfig is what a Server is made of.
type ServerConfig struct {
	Listen string // host:port
	// TLS, if set, is spoken on the listener; HTTP/2 is then negotiated. Otherwise HTTP/1 and HTTP/2 with prior knowledge are served.
	TLS *tls.Config
	// MaxConnections open at once; more are turned away. Default 25,000.
	MaxConnections int
}

// NewServer makes a server. It refuses an address that strangers could reach when no token is configured.
func NewServer(h *Handler, cfg ServerConfig) (*Server, error) {
	if err := CheckBind(cfg.Listen, len(h.cfg.Tokens) > 0); err != nil {
		return nil, err
	}
	if cfg.MaxConnections <= 0 {
		cfg.MaxConnections = defaultConnections
	}
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	s := &Server{handler: h, listen: cfg.Listen, maxConns: cfg.MaxConnections}
	s.http = &http.Server{
		Handler: h, TLSConfig: cfg.TLS, Protocols: &protocols,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: maxConcurrentStreams, SendPingTimeout: 15 * time.Second, PingTimeout: 15 * time.Second},
		ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeaderBytes,
		ErrorLog:       slog.NewLogLogger(h.log.Handler(), slog.LevelDebug),
	}
	s.http.RegisterOnShutdown(s.drain)
	return s, nil
}

// ListenAndServe serves until Shutdown, and then returns nil.
func (s *Server) ListenAndServe() error {
	listener, err := Listen(s.listen)
	if err != nil {
		return err
	}
	return s.Serve(listener)
}

// Listen opens a listener whose connections are noticed to be dead within seconds, also while data is on its way.
func Listen(address string) (net.Listener, error) {
	config := net.ListenConfig{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3},
		Control:         setUserTimeout,
	}
	listener, err := config.Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	return listener, nil
}

// Serve serves on a listener until Shutdown, and then returns nil. It closes the listener.
func (s *Server) Serve(listener net.Listener) error {
	if len(s.handler.cfg.Tokens) == 0 {
		s.handler.log.Warn("no token is configured: everybody on this machine may do everything", "address", listener.Addr().String())
	}
	listener = &cappedListener{Listener: listener, max: s.maxConns, speaksTLS: s.http.TLSConfig != nil}
	var err error
	if s.http.TLSConfig != nil {
		err = s.http.ServeTLS(listener, "", "")
	} else {
		err = s.http.Serve(listener)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve on %s: %w", listener.Addr(), err)
}

// Shutdown stops taking requests, lets the running ones end and drains the streams in half of the time that the context
// leaves, at most 20 s. When the context ends first, the rest is cut off and its error returned.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.deadline, _ = ctx.Deadline()
	s.mu.Unlock()
	if err := s.http.Shutdown(ctx); err != nil {
		_ = s.http.Close() // the first error is the one that tells
		return fmt.Errorf("shut the HTTP server down: %w", err)
	}
	return nil
}

func (s *Server) drain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	window := maxDrainWindow
	if !s.deadline.IsZero() {
		window = min(window, time.Until(s.deadline)/2)
	}
	s.handler.Drain(window)
}
