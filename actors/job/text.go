package job

import "strings"

// clean is text as every store, log and page can keep it: valid UTF-8 without NUL, at most limit bytes.
func clean(s string, limit int) string {
	return cut(strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "\uFFFD"), limit)
}

func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit-len("…")], "") + "…"
}
