package fetch

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// MaxURL bounds an image's address, in bytes.
const MaxURL = 2048

// ParseURL reads the address of an image and says what is wrong with it, as far as its text alone can tell: http or https,
// a host, no user or password, no address in a disguise.
func ParseURL(text string) (*url.URL, error) {
	if len(text) > MaxURL {
		return nil, fmt.Errorf("%d bytes, at most %d", len(text), MaxURL)
	}
	u, err := url.Parse(text)
	if err != nil {
		// url.Error repeats the whole text; its cause is enough
		if broken, ok := errors.AsType[*url.Error](err); ok {
			err = broken.Err
		}
		return nil, fmt.Errorf("not a URL: %w", err)
	}
	return u, check(u)
}

func check(u *url.URL) error {
	switch host := u.Hostname(); {
	case u.Scheme != "http" && u.Scheme != "https":
		return errors.New("want an http or https address")
	case u.Opaque != "" || host == "":
		return errors.New("it names no host")
	case u.User != nil:
		return errors.New("an address with a user or a password is not accepted")
	case strings.ContainsAny(host, "%"):
		return errors.New("an address with a zone is not accepted")
	case oddAddress(host):
		return fmt.Errorf("host %.80q is neither a name nor an address in its usual form", host)
	}
	return nil
}
