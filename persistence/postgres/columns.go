package postgres

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// rows are the writes of one statement in ascending order of id.
type rows []*persistence.Write

// asked appends what was asked, a column each, in the order of upsert.sql.
func (r rows) asked(a *arrays, policies *policyCache) error {
	n := len(r)
	a.open(oidTimestamptz, n)
	for _, w := range r {
		a.int8(w.Job.Created.UnixMicro() - epoch)
	}
	texts := func(field func(*job.Job) string) {
		a.open(oidText, n)
		for _, w := range r {
			a.text(field(&w.Job))
		}
	}
	texts(func(j *job.Job) string { return j.Kind })
	texts(func(j *job.Job) string { return j.Queue })
	texts(func(j *job.Job) string { return j.Owner })
	texts(func(j *job.Job) string { return j.Group })
	texts(func(j *job.Job) string { return j.Batch })
	a.open(oidText, n)
	for _, w := range r {
		a.list(w.Job.Tags)
	}
	a.open(oidInt2, n)
	for _, w := range r {
		a.int2(w.Job.Priority)
	}
	a.open(oidJSON, n)
	for _, w := range r {
		doc, err := policies.encode(w.Job.Policy)
		if err != nil {
			return fmt.Errorf("encode the policy of job %s: %w", w.Job.ID, err)
		}
		a.text(doc)
	}
	a.open(oidJSON, n)
	for _, w := range r {
		a.json(w.Job.Payload)
	}
	return nil
}

// ids appends the column of ids.
func (r rows) ids(a *arrays) {
	a.open(oidUUID, len(r))
	for _, w := range r {
		a.uuid(w.Job.ID)
	}
}

// state appends where the jobs stand, a column each, in the order of upsert.sql and update.sql.
func (r rows) state(a *arrays) error {
	n := len(r)
	int4s := func(field func(*job.Job) int) {
		a.open(oidInt4, n)
		for _, w := range r {
			a.int4(field(&w.Job))
		}
	}
	int4s(func(j *job.Job) int { return j.Life })
	a.open(oidInt2, n)
	for _, w := range r {
		a.int2(int(w.Job.Status))
	}
	a.open(oidInt8, n)
	for _, w := range r {
		a.int8(w.Job.Token)
	}
	a.open(oidInt8, n)
	for _, w := range r {
		a.int8(w.Job.Rev)
	}
	a.open(oidText, n)
	for _, w := range r {
		a.text(w.Job.Node)
	}
	int4s(func(j *job.Job) int { return j.Attempt })
	int4s(func(j *job.Job) int { return j.Attempts })
	int4s(func(j *job.Job) int { return j.Crashes })
	if err := r.progress(a); err != nil {
		return err
	}
	r.times(a)
	return r.outcome(a)
}

func (r rows) progress(a *arrays) error {
	a.open(oidFloat8, len(r))
	for _, w := range r {
		a.float8(w.Job.Progress.Percent)
	}
	a.open(oidJSON, len(r))
	for _, w := range r {
		p := w.Job.Progress
		if p == (job.Progress{Percent: p.Percent}) {
			a.null()
		} else if err := a.marshal(p, p.Stage, p.Note); err != nil {
			return fmt.Errorf("encode the progress of job %s: %w", w.Job.ID, err)
		}
	}
	return nil
}

func (r rows) times(a *arrays) {
	for _, column := range [...]func(*job.Job){
		func(j *job.Job) { a.time(j.RunAt) },
		func(j *job.Job) { a.time(j.Started) },
		func(j *job.Job) { a.int8(j.Updated.UnixMicro() - epoch) },
		func(j *job.Job) { a.time(j.Finished) },
	} {
		a.open(oidTimestamptz, len(r))
		for _, w := range r {
			column(&w.Job)
		}
	}
}

func (r rows) outcome(a *arrays) error {
	n := len(r)
	a.open(oidBool, n)
	for _, w := range r {
		a.bool(w.Job.Status == job.Failed)
	}
	a.open(oidText, n)
	for _, w := range r {
		if w.Job.Failure == nil {
			a.text("")
		} else {
			a.text(w.Job.Failure.Fingerprint)
		}
	}
	a.open(oidJSON, n)
	for _, w := range r {
		if f := w.Job.Failure; f == nil {
			a.null()
		} else if err := a.marshal(f, f.Code, f.Message, f.Fingerprint, f.Stack); err != nil {
			return fmt.Errorf("encode the failure of job %s: %w", w.Job.ID, err)
		}
	}
	a.open(oidJSON, n)
	for _, w := range r {
		a.json(w.Job.Result)
	}
	a.open(oidJSON, n)
	for _, w := range r {
		a.json(w.Job.Checkpoint)
	}
	a.open(oidJSON, n)
	for _, w := range r {
		var texts []string
		for _, f := range w.Job.Artifacts {
			texts = append(texts, f.Name, f.Type, f.ETag)
		}
		if len(texts) == 0 {
			a.null()
		} else if err := a.marshal(w.Job.Artifacts, texts...); err != nil {
			return fmt.Errorf("encode the artifacts of job %s: %w", w.Job.ID, err)
		}
	}
	return nil
}

// lines appends the column of new lines of history; null where there are none.
func (r rows) lines(a *arrays) error {
	a.open(oidText, len(r))
	for _, w := range r {
		if len(w.History) == 0 {
			a.null()
			continue
		}
		start := a.begin()
		var err error
		if a.buf, err = appendLines(a.buf, w.History); err != nil {
			return fmt.Errorf("encode the history of job %s: %w", w.Job.ID, err)
		}
		a.finish(start)
	}
	return nil
}

// errNotText: JSON and the server keep text in UTF-8 only. The JSON encoder would put other characters in place of the bytes.
var errNotText = fmt.Errorf("%w: not UTF-8", persistence.ErrInvalid)

// marshal writes a document. The texts in it are given as well, to be checked.
func (a *arrays) marshal(v any, texts ...string) error {
	for _, s := range texts {
		if !utf8.ValidString(s) {
			return errNotText
		}
	}
	doc, err := json.Marshal(v)
	if err != nil {
		return err
	}
	a.json(doc)
	return nil
}

var quoteElement = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// list writes an array of texts in its text form, as one element; null if it is empty.
func (a *arrays) list(list []string) {
	if len(list) == 0 {
		a.null()
		return
	}
	start := a.begin()
	for i, s := range list {
		if i == 0 {
			a.buf = append(a.buf, `{"`...)
		} else {
			a.buf = append(a.buf, `","`...)
		}
		a.buf = append(a.buf, quoteElement.Replace(s)...)
	}
	a.buf = append(a.buf, `"}`...)
	a.finish(start)
}
