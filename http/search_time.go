package httpapi

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/meta-ad-studio/troupe/persistence"
)

// narrowFrom and narrowTo leave of a query's span what is also after, or before, a time.

func narrowFrom(q *persistence.Query, t time.Time) {
	if t.After(q.From) {
		q.From = t
	}
}

func narrowTo(q *persistence.Query, t time.Time) {
	if q.To.IsZero() || t.Before(q.To) {
		q.To = t
	}
}

// comparison splits a sign from what follows it; without one it is "=".
func comparison(value string) (sign, rest string) {
	for _, sign := range []string{">=", "<=", ">", "<"} {
		if rest, ok := strings.CutPrefix(value, sign); ok {
			return sign, rest
		}
	}
	return "=", value
}

var units = map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}

// maxAge bounds the ages that can be asked for.
const maxAge = 100 * 365 * 24 * time.Hour

// narrowByAge reads such as >1h (made more than an hour ago) and <2d.
func narrowByAge(q *persistence.Query, value string, now time.Time) error {
	sign, text := comparison(value)
	if sign == "=" || len(text) < 2 {
		return errAge
	}
	n, err := strconv.ParseUint(text[:len(text)-1], 10, 32)
	unit := units[text[len(text)-1]]
	if err != nil || unit == 0 || n > uint64(maxAge/unit) {
		return errAge
	}
	at := now.Add(-time.Duration(n) * unit)
	if sign[0] == '>' {
		narrowTo(q, at)
	} else {
		narrowFrom(q, at)
	}
	return nil
}

var errAge = errors.New("want such as >1h or <2d: a sign, a whole number, and s, m, h, d or w")

// narrowByCreation reads such as >2026-11-01, <=2026-11-01T12:00:00Z, and 2026-11-01 for that day. A date is a whole day of UTC: what is
// greater begins when it ends.
func narrowByCreation(q *persistence.Query, value string) error {
	sign, text := comparison(value)
	begin, err := time.Parse(time.DateOnly, text)
	end := begin.AddDate(0, 0, 1)
	if err != nil {
		if begin, err = time.Parse(time.RFC3339Nano, text); err != nil {
			return fmt.Errorf("%.40q: want such as >2026-11-01 or <2026-11-01T12:00:00Z", value)
		}
		end = begin.Add(time.Microsecond) // a moment, as stores keep it
	}
	switch sign {
	case ">":
		narrowFrom(q, end)
	case ">=":
		narrowFrom(q, begin)
	case "<":
		narrowTo(q, begin)
	case "<=":
		narrowTo(q, end)
	default:
		narrowFrom(q, begin)
		narrowTo(q, end)
	}
	return nil
}
