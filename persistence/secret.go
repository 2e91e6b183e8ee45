package persistence

import (
	"fmt"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// MaxSecret bounds the bytes of a secret that a Store keeps.
const MaxSecret = 1024

// CheckSecret says with ErrInvalid what is wrong with a secret or its name; drivers ask it first. It does not repeat the secret.
func CheckSecret(name string, value []byte) error {
	if !job.ValidName(name) {
		return fmt.Errorf("%w: a secret named %.80q", ErrInvalid, name)
	}
	if len(value) == 0 || len(value) > MaxSecret {
		return fmt.Errorf("%w: a secret of %d bytes: want 1 to %d", ErrInvalid, len(value), MaxSecret)
	}
	return nil
}
