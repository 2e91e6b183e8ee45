package sqlite

import (
	"embed"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/meta-ad-studio/troupe/actors/job"
)

//go:embed queries/*.sql
var files embed.FS

// query is one statement. Each connection prepares it once.
type query struct{ name, text string }

// load reads a statement from its file. The driver keeps a statement compiled only if nothing follows it.
func load(name string) *query {
	text, err := files.ReadFile("queries/" + name + ".sql")
	if err != nil {
		panic(fmt.Sprintf("sqlite: embedded statement: %v", err))
	}
	return &query{name, strings.TrimSuffix(strings.TrimSpace(string(text)), ";")}
}

func inline(name, text string) *query { return &query{name, text} }

// idList is ids as an array for json_each: [ "0123…", … ], to be read by unhex. The key of an element is its index in ids.
func idList(ids []job.ID) string {
	b := make([]byte, 0, 2+len(ids)*(2*len(job.ID{})+3))
	b = append(b, '[')
	for i, id := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = hex.AppendEncode(b, id[:])
		b = append(b, '"')
	}
	return string(append(b, ']'))
}

// numberList is numbers as an array for json_each.
func numberList(numbers []int64) string {
	b := []byte{'['}
	for i, n := range numbers {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, n, 10)
	}
	return string(append(b, ']'))
}
