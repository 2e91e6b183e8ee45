package redis

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// A value of jobs:{q} is a header of fixed width, so that scripts compare and index it without parsing, and the envelope.
const (
	lifeDigits  = 6
	headerBytes = lifeDigits + 1 // life, priority
)

// Bounds of what fits the layout. A token times job.RevsPerToken must fit a rev.
const (
	maxLife     = 999_999
	maxToken    = (1<<63 - 1) / job.RevsPerToken
	maxEnvelope = 64 << 20
	maxNode     = 255
)

// header writes the header of an entry's value.
func header(b *strings.Builder, e *persistence.Entry) {
	for unit := (maxLife + 1) / 10; unit > 0; unit /= 10 {
		b.WriteByte(byte('0' + e.Life/unit%10))
	}
	b.WriteByte(byte('0' + e.Priority))
}

// values adds the values of the entries.
func (l *call) values(entries []persistence.Entry) {
	total := 0
	for i := range entries {
		total += headerBytes + len(entries[i].Envelope)
	}
	var b strings.Builder
	b.Grow(total)
	for i := range entries {
		e := &entries[i]
		header(&b, e)
		b.Write(e.Envelope)
	}
	all := b.String()
	for i := range entries {
		n := headerBytes + len(entries[i].Envelope)
		l.text(all[:n])
		all = all[n:]
	}
}

// fits says why a batch can't be stored.
func fits(entries []persistence.Entry) error {
	if len(entries) > persistence.MaxBatch {
		return invalid("%d jobs in one batch, at most %d", len(entries), persistence.MaxBatch)
	}
	for i := range entries {
		switch e := &entries[i]; {
		case e.Life < 0 || e.Life > maxLife:
			return invalid("job %s: life %d", e.ID, e.Life)
		case e.Priority < 0 || e.Priority > job.MaxPriority:
			return invalid("job %s: priority %d", e.ID, e.Priority)
		case e.Token < 0 || e.Token > maxToken:
			return invalid("job %s: token %d", e.ID, e.Token)
		case e.Crashes < 0:
			return invalid("job %s: %d crashes", e.ID, e.Crashes)
		case len(e.Envelope) > maxEnvelope:
			return invalid("job %s: an envelope of %d bytes, at most %d", e.ID, len(e.Envelope), maxEnvelope)
		case e.Key != nil && e.Key.TTL <= 0:
			return invalid("job %s: an idempotency key that binds for %s", e.ID, e.Key.TTL)
		}
	}
	return nil
}

// fitsNode says why a node's name can't be part of a fence.
func fitsNode(node string) error {
	if node == "" || len(node) > maxNode || strings.ContainsAny(node, "|\n") {
		return invalid("node name %.80q", node)
	}
	return nil
}

// fence is the beginning of the meta of a job that is leased so.
func fence(token int64, node string) string {
	return "L|" + strconv.FormatInt(token, 10) + "|" + node + "|"
}

// leased is the whole meta of a job that is leased so.
func leased(e *persistence.Entry, node string) string {
	return fmt.Sprintf("%s%d|%d", fence(e.Token, node), e.Priority, e.Crashes)
}

// lifeOf reads the life from a stored job's header.
func lifeOf(value string) int {
	life := 0
	for i := range lifeDigits {
		life = 10*life + int(value[i]-'0')
	}
	return life
}
