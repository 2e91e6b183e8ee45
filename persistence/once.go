package persistence

import (
	"context"
	"fmt"
	"time"
)

// Once keeps what may be used a single time: a ticket that was shown, a session that was ended. All nodes ask the same one.
// It keeps marks for minutes or hours and no longer than they matter; it is no record of anything.
//
// A driver may forget a mark when its server loses data. What is kept here must therefore expire by itself as well.
type Once interface {
	// Spend leaves a mark that stays for the given time, at least a millisecond, and says whether it is the first: of many that
	// spend one key at once, at any nodes, one is. A mark that stands is not made to stand longer. Keys are 1 to MaxOnceKey bytes.
	//
	// Errors wrap ErrUnavailable, ErrFull or ErrInvalid. After ErrUnavailable the key may be spent.
	Spend(ctx context.Context, key string, stay time.Duration) (first bool, err error)

	// Spent says whether the key's mark stands. Errors wrap ErrUnavailable or ErrInvalid.
	Spent(ctx context.Context, key string) (bool, error)
}

// MaxOnceKey bounds the bytes of a key.
const MaxOnceKey = 128

// CheckOnce says with ErrInvalid what is wrong with a key or a stay; drivers ask it first.
func CheckOnce(key string, stay time.Duration) error {
	switch {
	case key == "" || len(key) > MaxOnceKey:
		return fmt.Errorf("%w: a key of %d bytes: want 1 to %d", ErrInvalid, len(key), MaxOnceKey)
	case stay < time.Millisecond:
		return fmt.Errorf("%w: a mark that stays for %s: want at least a millisecond", ErrInvalid, stay)
	}
	return nil
}
