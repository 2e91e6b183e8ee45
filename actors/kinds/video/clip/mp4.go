package clip

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// mp4Duration reads the length of an MP4 file, and refuses one that is not whole or whose index (moov) does not come before its
// content (mdat), as playing while it loads needs.
func mp4Duration(path string) (time.Duration, error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	var seen string
	var length time.Duration
	for at := int64(0); at < info.Size(); {
		kind, header, size, err := mp4Box(file, at, info.Size())
		if err != nil {
			return 0, err
		}
		switch kind {
		case "ftyp", "mdat":
			seen += kind
		case "moov":
			seen += kind
			if length, err = movieLength(file, at+header, at+size); err != nil {
				return 0, err
			}
		}
		at += size
	}
	if seen != "ftypmoovmdat" {
		return 0, fmt.Errorf("not an MP4 file to be streamed: its parts are %.40q", seen)
	}
	return length, nil
}

// mp4Box reads the head of the box at an offset: its kind, the length of its head and its whole size.
func mp4Box(r io.ReaderAt, at, end int64) (kind string, header, size int64, err error) {
	var head [16]byte
	n, err := r.ReadAt(head[:], at)
	if n < 8 {
		return "", 0, 0, fmt.Errorf("cut at byte %d: %w", at, err)
	}
	header, size = 8, int64(binary.BigEndian.Uint32(head[:]))
	if size == 1 && n == 16 {
		header, size = 16, int64(binary.BigEndian.Uint64(head[8:])) //nolint:gosec // checked below
	}
	if size < header || size > end-at {
		return "", 0, 0, fmt.Errorf("cut or damaged at byte %d", at)
	}
	return string(head[4:8]), header, size, nil
}

func movieLength(r io.ReaderAt, at, end int64) (time.Duration, error) {
	for at < end {
		kind, header, size, err := mp4Box(r, at, end)
		if err != nil {
			return 0, err
		}
		if kind == "mvhd" {
			var b [32]byte
			if _, err := r.ReadAt(b[:], at+header); err != nil {
				return 0, err
			}
			scale, length := uint64(binary.BigEndian.Uint32(b[12:])), uint64(binary.BigEndian.Uint32(b[16:]))
			if b[0] == 1 {
				scale, length = uint64(binary.BigEndian.Uint32(b[20:])), binary.BigEndian.Uint64(b[24:])
			}
			if scale == 0 {
				return 0, errors.New("no time scale")
			}
			return time.Duration(float64(length) / float64(scale) * float64(time.Second)), nil
		}
		at += size
	}
	return 0, errors.New("no mvhd")
}
