package persistence

import "errors"

// Errors that every driver maps its own to. Match them with errors.Is.
var (
	// ErrUnavailable: the server can't be reached, or does not answer in time. Whether a write took effect is unknown;
	// every write of these contracts may be repeated.
	ErrUnavailable = errors.New("unavailable")
	// ErrFull: the server is out of memory or disk, or a bound of ours is reached. Nothing was written.
	ErrFull = errors.New("full")
	// ErrNotFound: there is no such thing.
	ErrNotFound = errors.New("not found")
	// ErrInvalid: the server will never take this value; repeating it is in vain.
	ErrInvalid = errors.New("invalid")
)
