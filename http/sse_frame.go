package httpapi

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"
)

// Names of events, as the contract has them.
const (
	eventHello   = "hello"
	eventJob     = "job"
	eventReady   = "ready"
	eventRemoved = "removed"
	eventStats   = "stats"
	eventPlace   = "place"
	eventBeat    = "hb"
	eventFault   = "fault"
	eventEnd     = "end"
	eventLog     = "log"
	eventChunk   = "chunk"
	eventGap     = "gap"
)

// appendFrame writes one event. A line break in the data, which encoded JSON never has, becomes another data line, as the
// format wants it: nothing in the data can end the frame early.
func appendFrame(dst []byte, id, event string, data []byte) []byte {
	if id != "" {
		dst = append(append(append(dst, "id: "...), id...), '\n')
	}
	dst = append(append(append(dst, "event: "...), event...), '\n')
	for {
		end := bytes.IndexAny(data, "\r\n")
		if end < 0 {
			break
		}
		dst = append(append(append(dst, "data: "...), data[:end]...), '\n')
		if data[end] == '\r' && end+1 < len(data) && data[end+1] == '\n' {
			end++
		}
		data = data[end+1:]
	}
	return append(append(append(dst, "data: "...), data...), "\n\n"...)
}

// appendRetry tells the browser how long to wait before it comes back by itself.
func appendRetry(dst []byte, wait time.Duration) []byte {
	dst = append(dst, "retry: "...)
	dst = strconv.AppendInt(dst, wait.Milliseconds(), 10)
	return append(dst, '\n')
}

// hello opens a stream.
type hello struct {
	Proto  int    `json:"proto"`
	Stream string `json:"stream"`
	Node   string `json:"node"`
	Epoch  string `json:"epoch,omitempty"`
	Mode   string `json:"mode"`
	Beat   int64  `json:"hb_ms"`
	MaxAge int64  `json:"max_age_ms"`
	Now    string `json:"now"`
}

// readyData says that the stream is complete: what it has not shown is not there.
type readyData struct {
	Jobs   int    `json:"jobs"`
	Cursor string `json:"cursor"`
}

type removedData struct {
	ID     string `json:"id"`
	Rev    int64  `json:"rev"`
	Reason string `json:"reason"`
}

type faultData struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Retry   int64  `json:"retry_ms"`
	Fatal   bool   `json:"fatal"`
}

// endData is the last word of an orderly close. Resume: come back, with the last id.
type endData struct {
	Reason string `json:"reason"`
	Retry  int64  `json:"retry_ms"`
	Resume bool   `json:"resume"`
}

// encode is for the values above, which can't fail.
func encode(value any) []byte {
	data, err := json.Marshal(value)
	if err != nil {
		panic("httpapi: a frame that can't be encoded: " + err.Error())
	}
	return data
}

func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
