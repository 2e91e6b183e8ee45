package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"

	httpapi "github.com/meta-ad-studio/troupe/http"
	"github.com/meta-ad-studio/troupe/persistence"
)

// access is who may open streams, from where, and how many.
type access struct {
	StreamSecret     []string `help:"Signs stream tokens, tickets and sessions: 32 bytes at least, the same at every node. The first signs, up to five are taken. Without any, the database keeps one for all nodes." env:"TROUPE_STREAM_SECRET" placeholder:"SECRET" group:"access"`
	StreamSecretFile string   `help:"File of such secrets instead, one a line." env:"TROUPE_STREAM_SECRET_FILE" type:"path" placeholder:"FILE" group:"access"`
	AllowOrigin      []string `help:"Other origins whose pages may ask this server, with a token: https://studio.example." env:"TROUPE_ALLOW_ORIGIN" placeholder:"ORIGIN" group:"access"`
	TrustedProxies   []string `help:"Addresses or networks of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed." env:"TROUPE_TRUSTED_PROXIES" placeholder:"CIDR" group:"access"`
	MaxStreams       int      `help:"Streams open at once on this node." env:"TROUPE_MAX_STREAMS" default:"20000" group:"access"`
	MaxPerPrincipal  int      `help:"Of them, for one token, or for one owner by stream tokens." name:"max-streams-per-principal" env:"TROUPE_MAX_STREAMS_PER_PRINCIPAL" default:"1000" group:"access"`
	MaxPerAddress    int      `help:"Of them, from one address." name:"max-streams-per-address" env:"TROUPE_MAX_STREAMS_PER_ADDRESS" default:"1000" group:"access"`
}

// apply reads the settings into the interface's. It asks nobody, so that what can't be meant is said before anything is opened.
func (a access) apply(c *httpapi.Config) (err error) {
	if a.MaxStreams < 1 || a.MaxPerPrincipal < 1 || a.MaxPerAddress < 1 {
		return errors.New("--max-streams, --max-streams-per-principal and --max-streams-per-address: want at least 1")
	}
	c.Streams = httpapi.StreamLimits{Total: a.MaxStreams, PerPrincipal: a.MaxPerPrincipal, PerIP: a.MaxPerAddress}
	if c.Origins, err = httpapi.ParseOrigins(a.AllowOrigin); err != nil {
		return fmt.Errorf("--allow-origin: %w", err)
	}
	if c.Proxies, err = httpapi.ParseProxies(a.TrustedProxies); err != nil {
		return fmt.Errorf("--trusted-proxies: %w", err)
	}
	if c.Secrets, err = a.secrets(); err != nil {
		return fmt.Errorf("--stream-secret: %w", err)
	}
	return nil
}

// secrets are those that were given.
func (a access) secrets() ([][]byte, error) {
	var all [][]byte
	for _, secret := range a.StreamSecret {
		all = append(all, []byte(secret))
	}
	if a.StreamSecretFile != "" {
		if len(all) > 0 {
			return nil, errors.New("give secrets or a file of them, not both")
		}
		text, err := os.ReadFile(a.StreamSecretFile)
		if err != nil {
			return nil, fmt.Errorf("read the secrets: %w", err)
		}
		for line := range bytes.Lines(text) {
			if line = bytes.TrimSpace(line); len(line) > 0 {
				all = append(all, line)
			}
		}
		if len(all) == 0 {
			return nil, errors.New("the file has no secret")
		}
	}
	return all, httpapi.CheckSecrets(all)
}

// sharedSecret is the one that all nodes on this store sign with when none is given. The first node makes it.
func sharedSecret(ctx context.Context, store persistence.Store) ([][]byte, error) {
	kept, err := commonSecret(ctx, store, "stream")
	return [][]byte{kept}, err
}
