package postgres

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// Values of results and of single parameters, in the binary format. A null has no bytes, and reads as zero.

func int2(b []byte) int { return int(int16(binary.BigEndian.Uint16(b))) }

func int4(b []byte) int { return int(int32(binary.BigEndian.Uint32(b))) }

func int8(b []byte) int64 { return int64(binary.BigEndian.Uint64(b)) }

func float8(b []byte) float64 { return math.Float64frombits(binary.BigEndian.Uint64(b)) }

func timestamp(b []byte) time.Time {
	if b == nil {
		return time.Time{}
	}
	return time.UnixMicro(int8(b) + epoch).UTC()
}

func int8Param(v int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(v)) }

func int4Param(v int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(int32(v))) }

func timeParam(t time.Time) []byte { return int8Param(t.UnixMicro() - epoch) }

func boolParam(v bool) []byte {
	if v {
		return []byte{1}
	}
	return []byte{0}
}

// uuids is an array of ids.
func uuids(ids []job.ID) []byte {
	a := arrays{buf: make([]byte, 0, 20+20*len(ids))}
	a.open(oidUUID, len(ids))
	for _, id := range ids {
		a.uuid(id)
	}
	return a.params()[0]
}
