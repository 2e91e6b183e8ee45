package postgres

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// Object ids of the types that travel.
const (
	oidBool        = 16
	oidInt8        = 20
	oidInt2        = 21
	oidInt4        = 23
	oidText        = 25
	oidJSON        = 114
	oidFloat8      = 701
	oidTimestamptz = 1184
	oidUUID        = 2950
)

// arrays builds the array parameters of one statement in the binary format, all in one buffer. It stands in for the
// driver's own encoding, which goes through an interface for each element: with thirty columns and a thousand rows
// that costs more than the statement.
type arrays struct {
	buf  []byte
	ends []int // of each array that is complete
}

func (a *arrays) reset() { a.buf, a.ends = a.buf[:0], a.ends[:0] }

// open begins an array of n elements of a type. Each of them must follow.
func (a *arrays) open(oid uint32, n int) {
	if k := len(a.ends); k > 0 {
		a.ends[k-1] = len(a.buf)
	}
	a.ends = append(a.ends, 0)
	a.uint32(1) // dimensions
	a.uint32(1) // there may be nulls
	a.uint32(oid)
	a.uint32(uint32(n))
	a.uint32(1) // first index
}

// params are the arrays as a statement takes them. They are valid until the next reset.
func (a *arrays) params() [][]byte {
	a.ends[len(a.ends)-1] = len(a.buf)
	out := make([][]byte, len(a.ends))
	start := 0
	for i, end := range a.ends {
		out[i] = a.buf[start:end:end]
		start = end
	}
	return out
}

func (a *arrays) uint32(v uint32) { a.buf = binary.BigEndian.AppendUint32(a.buf, v) }

func (a *arrays) null() { a.uint32(math.MaxUint32) }

func (a *arrays) bool(v bool) {
	a.uint32(1)
	if v {
		a.buf = append(a.buf, 1)
	} else {
		a.buf = append(a.buf, 0)
	}
}

func (a *arrays) int2(v int) {
	a.uint32(2)
	a.buf = binary.BigEndian.AppendUint16(a.buf, uint16(v))
}

func (a *arrays) int4(v int) {
	a.uint32(4)
	a.uint32(uint32(v))
}

func (a *arrays) int8(v int64) {
	a.uint32(8)
	a.buf = binary.BigEndian.AppendUint64(a.buf, uint64(v))
}

func (a *arrays) float8(v float64) { a.int8(int64(math.Float64bits(v))) }

func (a *arrays) uuid(id job.ID) {
	a.uint32(16)
	a.buf = append(a.buf, id[:]...)
}

func (a *arrays) text(s string) {
	a.uint32(uint32(len(s)))
	a.buf = append(a.buf, s...)
}

// json writes a document; an empty one is null.
func (a *arrays) json(doc []byte) {
	if len(doc) == 0 {
		a.null()
		return
	}
	a.uint32(uint32(len(doc)))
	a.buf = append(a.buf, doc...)
}

// begin and finish enclose an element that is appended to buf in between.
func (a *arrays) begin() int {
	a.uint32(0)
	return len(a.buf)
}

func (a *arrays) finish(start int) {
	binary.BigEndian.PutUint32(a.buf[start-4:], uint32(len(a.buf)-start))
}

// epoch is the server's zero of time: microseconds between 1970 and 2000.
const epoch = 946_684_800_000_000

// time writes a time to the microsecond; the zero time is null.
func (a *arrays) time(t time.Time) {
	if t.IsZero() {
		a.null()
		return
	}
	a.int8(t.UnixMicro() - epoch)
}
