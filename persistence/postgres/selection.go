package postgres

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// where collects conditions and the parameters in them.
type where struct {
	terms  []string
	params [][]byte
}

// param adds a parameter and names it.
func (w *where) param(value []byte) string {
	w.params = append(w.params, value)
	return fmt.Sprintf("$%d", len(w.params))
}

// match adds a condition on a parameter, which stands in it as %s.
func (w *where) match(condition string, value []byte) {
	w.terms = append(w.terms, fmt.Sprintf(condition, w.param(value)))
}

// statement puts the conditions, and a number as the last parameter, into a text that has room for both.
func (w *where) statement(text string, n int) (sql string, params [][]byte) {
	terms := "true"
	if len(w.terms) > 0 {
		terms = strings.Join(w.terms, " AND ")
	}
	return fmt.Sprintf(text, terms, len(w.params)+1), append(w.params, int8Param(int64(n)))
}

// ids bounds the ids: lowest <= id < below; zero is no bound.
func (w *where) ids(lowest, below job.ID) {
	if !below.IsZero() {
		w.match("id < %s::uuid", below[:])
	}
	if !lowest.IsZero() {
		w.match("id >= %s::uuid", lowest[:])
	}
}

// selection is the conditions of a query, within a range of ids. Those of the anchor stand in the words that its index is made for.
func selection(q *persistence.Query, along anchor, lowest, below job.ID) *where {
	w := &where{}
	w.ids(lowest, below)
	along.add(w)
	if len(q.IDs) > 0 {
		w.match("id = ANY (%s::uuid[])", uuids(q.IDs))
	}
	if len(q.Statuses) > 0 {
		w.match("status = ANY (%s::smallint[])", statuses(q.Statuses))
	}
	for _, a := range anchors(q) {
		if a != along {
			a.add(w)
		}
	}
	for _, field := range []struct{ value, condition string }{
		{q.Kind, "kind = %s::text"},
		{q.Queue, "queue = %s::text"},
		{q.Tag, "tags IS NOT NULL AND tags @> ARRAY[%s::text]"},
	} {
		if field.value != "" {
			w.match(field.condition, []byte(field.value))
		}
	}
	if !q.From.IsZero() {
		w.match("created_at >= %s::timestamptz", timeParam(q.From))
	}
	if !q.To.IsZero() {
		w.match("created_at < %s::timestamptz", timeParam(q.To))
	}
	w.texts(q)
	return w
}

// texts adds what must be looked for in documents: last, as it costs most.
func (w *where) texts(q *persistence.Query) {
	for _, text := range q.Errors {
		w.match("(job_text(failure, 'code') ILIKE %[1]s::text OR job_text(failure, 'message') ILIKE %[1]s::text)", contains(text))
	}
	for _, text := range q.Texts {
		w.match("(kind ILIKE %[1]s::text OR payload::text ILIKE %[1]s::text OR job_text(failure, 'message') ILIKE %[1]s::text)", contains(text))
	}
	for _, m := range q.Payload {
		var path strings.Builder
		for name := range strings.SplitSeq(m.Path, ".") {
			path.WriteString(" -> " + w.param([]byte(name)) + "::text")
		}
		w.terms = append(w.terms, fmt.Sprintf(payloadSQL, path.String(), w.param([]byte(m.Text))))
	}
}

var (
	deadSQL, edgeSQL, payloadSQL = load("dead").sql, load("edge").sql, load("payload").sql

	listTemplate = load("list").sql
	withPayload  = fmt.Sprintf(", CASE WHEN %[1]s THEN payload END, CASE WHEN payload IS NOT NULL AND NOT (%[1]s) THEN true END",
		fmt.Sprintf("pg_column_size(payload) <= %[1]d AND octet_length(payload::text) <= %[1]d", persistence.MaxListedPayload))
)

// listSQL is list.sql with room for conditions and limit.
func listSQL(q *persistence.Query) string {
	if q.Payloads {
		return strings.Replace(listTemplate, "%s", withPayload, 1)
	}
	return strings.Replace(listTemplate, "%s", "", 1)
}

var likeLiteral = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// contains is a pattern for LIKE.
func contains(text string) []byte { return []byte("%" + likeLiteral.Replace(text) + "%") }

func statuses(list []job.Status) []byte {
	var a arrays
	a.open(oidInt2, len(list))
	for _, s := range list {
		a.int2(int(s))
	}
	return a.params()[0]
}

// anchor is an index that goes by id, with the condition that it serves. The zero anchor is the index of all ids.
type anchor struct{ condition, value string }

func (a anchor) add(w *where) {
	switch {
	case a.condition == "":
	case a.value == "":
		w.terms = append(w.terms, a.condition)
	default:
		w.match(a.condition, []byte(a.value))
	}
}

// anchors are the indexes that serve a query, without the one of all ids.
func anchors(q *persistence.Query) (all []anchor) {
	for _, a := range []anchor{
		{"fingerprint = %s::text AND fingerprint <> ''", q.Fingerprint},
		{"batch = %s::text AND batch <> ''", q.Batch},
		{"group_name = %s::text AND group_name <> ''", q.Group},
		{"owner = %s::text AND owner <> ''", q.Owner},
	} {
		if a.value != "" {
			all = append(all, a)
		}
	}
	if len(q.Statuses) == 0 {
		return all
	}
	// What the indexes are made for must be said in their words.
	if !slices.ContainsFunc(q.Statuses, job.Status.Terminal) {
		all = append(all, anchor{condition: "finished_at IS NULL"})
	} else if !slices.ContainsFunc(q.Statuses, func(s job.Status) bool { return s != job.Failed }) {
		all = append(all, anchor{condition: "dead"})
	}
	return all
}
