package sample

import (
	"context"
	"errors"
	"os"
	"time"
)

// exit ends the process as a crash does: nothing deferred runs, nothing is handed back.
func exit(_ context.Context, h hold) error {
	if err := bind(h, &struct{}{}); err != nil {
		return err
	}
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Kill()
	}
	if err == nil {
		// the signal may take a moment to arrive
		time.Sleep(time.Second)
	}
	os.Exit(137)
	return errors.Join(err, errors.New("survived its own end"))
}

// hang takes ms milliseconds and does not look at its context: what a handler must not do, and what a system must survive.
func hang(_ context.Context, h hold) error {
	p := struct {
		MS int `json:"ms"`
	}{MS: int(time.Hour / time.Millisecond)}
	if err := bind(h, &p); err != nil {
		return err
	}
	if err := within("ms", p.MS, 0, maxMS); err != nil {
		return err
	}
	time.Sleep(time.Duration(p.MS) * time.Millisecond)
	return h.Result(map[string]int{"ms": p.MS})
}
