package sqlite

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/meta-ad-studio/troupe/persistence"
)

var errClosed = fmt.Errorf("%w: the database is closed", persistence.ErrUnavailable)

// classify maps what SQLite says to the errors of the contracts.
func classify(err error) error {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return err
	}
	switch primary(e) {
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("%w: no space for the database: %w", persistence.ErrFull, err)
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("%w: the database file is damaged or no database; restore it from a backup: %w", persistence.ErrUnavailable, err)
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		return fmt.Errorf("%w: the database file can't be opened or written; see its owner and mode: %w", persistence.ErrUnavailable, err)
	case sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_RANGE:
		return fmt.Errorf("%w: %w", persistence.ErrInvalid, err)
	}
	return fmt.Errorf("%w: %w", persistence.ErrUnavailable, err)
}

// undoesAll says whether an error concerns the file and not one request: SQLite may have undone the transaction, and to go on with the
// others of the group would be in vain.
func undoesAll(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return false
	}
	switch primary(e) {
	case sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_RANGE, sqlite3.SQLITE_ERROR:
		return false
	}
	return true
}

func primary(e *sqlite.Error) int { return e.Code() & 0xff }
