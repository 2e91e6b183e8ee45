package main

import (
	"fmt"
	"net/url"
	"strings"
)

// unusable says in one line which server can't be used, and why, without what its URL keeps secret.
func unusable(what, address string, err error) error {
	where := ""
	if u, parseErr := url.Parse(address); parseErr == nil && u.Host != "" {
		where = " at " + u.Host
	}
	why := reason(err)
	if _, fatal, ok := strings.Cut(why, "FATAL: "); ok { // what Postgres itself says
		why = fatal
	}
	return fmt.Errorf("%s%s can't be used: %s", what, where, why)
}

// readable refuses an address whose reading would fail with the whole of it, password included, in the error.
func readable(flag, address string, schemes ...string) error {
	u, err := url.Parse(address)
	if err == nil {
		for _, scheme := range schemes {
			if u.Scheme == scheme {
				return nil
			}
		}
	}
	return fmt.Errorf("%s: can't be read: want %s://…", flag, strings.Join(schemes, "://… or "))
}
