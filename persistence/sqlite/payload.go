package sqlite

import (
	"database/sql/driver"

	"modernc.org/sqlite"

	"github.com/meta-ad-studio/troupe/persistence"
)

// payloadHolds is the name of a function of statements: whether a payload has a value at a path. SQLite's own functions see other texts in some
// documents than other stores do.
const payloadHolds = "troupe_payload_holds"

// opener opens files with that function.
var opener = func() *sqlite.Driver {
	d := &sqlite.Driver{}
	d.MustRegisterDeterministicScalarFunction(payloadHolds, 3, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		payload, _ := args[0].(string)
		path, _ := args[1].(string)
		text, _ := args[2].(string)
		return persistence.PayloadMatch{Path: path, Text: text}.Holds([]byte(payload)), nil
	})
	return d
}()
