package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"

	"github.com/meta-ad-studio/troupe/actors/job"
)

type tokenCmd struct {
	Name string `arg:"" help:"Whose token it is: the owner of the jobs submitted with it."`
}

// Run prints a new token, and the hash of it that a node is given.
func (c *tokenCmd) Run(o output) error {
	if !job.ValidName(c.Name) {
		return fmt.Errorf("name %q: want 1 to %d letters, digits or . _ -", c.Name, job.MaxName)
	}
	var secret [32]byte
	_, _ = rand.Read(secret[:]) // never fails
	token := "troupe_" + base64.RawURLEncoding.EncodeToString(secret[:])
	hash := sha256.Sum256([]byte(token))
	_, err := fmt.Fprintf(o.out, "token, for the client, shown only now:\n  %s\nhash, for the node:\n  TROUPE_TOKEN_HASHES=%s:%s\n", token, c.Name, hex.EncodeToString(hash[:]))
	return err
}
