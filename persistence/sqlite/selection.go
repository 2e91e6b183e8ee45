package sqlite

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// conditions collects terms of a WHERE and what they bind.
type conditions struct {
	terms []string
	args  []any
}

// add joins a term; each ? in it is one of args.
func (w *conditions) add(term string, args ...any) {
	w.terms = append(w.terms, term)
	w.args = append(w.args, args...)
}

func (w *conditions) String() string {
	if len(w.terms) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.terms, " AND ")
}

// ids bounds the ids in a column: lowest <= id < below; zero is no bound.
func (w *conditions) ids(column string, lowest, below job.ID) {
	if !below.IsZero() {
		w.add(column+" < ?", below[:])
	}
	if !lowest.IsZero() {
		w.add(column+" >= ?", lowest[:])
	}
}

// anchor is an index that goes by id: column = value, or a condition whose words an index has. The zero anchor is the index of all ids.
type anchor struct{ column, value, condition string }

// anchors are the indexes that serve a query, without the one of all ids.
func anchors(q *persistence.Query) (all []anchor) {
	for _, a := range []anchor{
		{"fingerprint", q.Fingerprint, ""}, {"batch", q.Batch, ""}, {"group_name", q.Group, ""}, {"job_tags.tag", q.Tag, ""}, {"owner", q.Owner, ""},
	} {
		if a.value != "" {
			all = append(all, a)
		}
	}
	if len(q.Statuses) == 0 {
		return all
	}
	if !slices.ContainsFunc(q.Statuses, job.Status.Terminal) {
		all = append(all, anchor{condition: "finished_at IS NULL"})
	} else if !slices.ContainsFunc(q.Statuses, func(s job.Status) bool { return s != job.Failed }) {
		all = append(all, anchor{condition: "status = 'failed'"})
	}
	return all
}

// along joins the anchor's condition, and says from where and in which order to read. An anchor other than all ids keeps the others' columns
// from being taken for an index's.
func (w *conditions) along(a anchor, lowest, below job.ID) (from, order string) {
	from, order = "jobs", "jobs.id"
	if a.column == "job_tags.tag" {
		from, order = "job_tags CROSS JOIN jobs ON jobs.id = job_tags.job", "job_tags.job"
	}
	w.ids(order, lowest, below)
	switch {
	case a.column != "":
		w.add(a.column+" = ?", a.value)
	case a.condition != "":
		w.add(a.condition)
	}
	return from, order
}

// selection is the statement for a query along an anchor.
func selection(columns string, q *persistence.Query, along anchor, lowest, below job.ID, limit int) (text string, args []any) {
	var w conditions
	from, order := w.along(along, lowest, below)
	for _, a := range anchors(q) {
		switch {
		case a == along || a.column == "":
		case a.column == "job_tags.tag":
			w.add("EXISTS (SELECT 1 FROM job_tags WHERE job_tags.tag = ? AND job_tags.job = jobs.id)", a.value)
		default:
			w.add("+"+a.column+" = ?", a.value)
		}
	}
	if len(q.IDs) > 0 {
		w.add("jobs.id IN (SELECT unhex(value) FROM json_each(?))", idList(q.IDs))
	}
	w.status(q.Statuses)
	for _, f := range []struct{ column, value string }{{"kind", q.Kind}, {"queue", q.Queue}} {
		if f.value != "" {
			w.add(f.column+" = ?", f.value)
		}
	}
	if !q.From.IsZero() {
		w.add("created_at >= ?", q.From.UnixMicro())
	}
	if !q.To.IsZero() {
		w.add("created_at < ?", q.To.UnixMicro())
	}
	w.texts(q)
	return fmt.Sprintf("SELECT %s FROM %s%s ORDER BY %s DESC LIMIT %d", columns, from, &w, order, limit), w.args
}

// texts adds what must be looked for in documents: last, as it costs most.
func (w *conditions) texts(q *persistence.Query) {
	for _, text := range q.Errors {
		like := "%" + likeEscaper.Replace(text) + "%"
		w.add(`(json_extract(failure, '$.code') LIKE ? ESCAPE '\' OR json_extract(failure, '$.message') LIKE ? ESCAPE '\')`, like, like)
	}
	for _, text := range q.Texts {
		like := "%" + likeEscaper.Replace(text) + "%"
		w.add(`(kind LIKE ? ESCAPE '\' OR json_extract(failure, '$.message') LIKE ? ESCAPE '\' OR payload LIKE ? ESCAPE '\')`, like, like, like)
	}
	for _, m := range q.Payload {
		// A payload without a backslash says the value as it is, or doesn't have it: most are passed over without being parsed.
		w.add(`CASE WHEN instr(payload, ?) > 0 OR instr(payload, '\') > 0 THEN `+payloadHolds+`(payload, ?, ?) ELSE 0 END`, m.Text, m.Path, m.Text)
	}
}

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// edgeOf is the statement for the n-th id along an anchor. Only indexes are read.
func edgeOf(along anchor, lowest, below job.ID, n int) (text string, args []any) {
	var w conditions
	from, order := w.along(along, lowest, below)
	if along.column == "job_tags.tag" {
		from = "job_tags"
	}
	return fmt.Sprintf("SELECT %s FROM %s%s ORDER BY %[1]s DESC LIMIT 1 OFFSET %[4]d", order, from, &w, n-1), w.args
}

// status restricts to statuses. They stand in the text, as an index on some of them is found by the text; so they must be known ones.
func (w *conditions) status(statuses []job.Status) {
	if len(statuses) == 0 {
		return
	}
	names := make([]string, 0, len(statuses))
	for _, s := range statuses {
		if s >= job.Scheduled && s <= job.Cancelled {
			names = append(names, "'"+s.String()+"'")
		}
	}
	if len(names) == 1 {
		w.add("status = " + names[0])
		return
	}
	w.add("status IN (" + strings.Join(names, ", ") + ")")
}
