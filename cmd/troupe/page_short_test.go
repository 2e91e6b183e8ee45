package main

import (
	"bytes"

	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// shorten makes the videos that are ordered with the form's usual length of six seconds two seconds long, on their way to the server:
// nothing else of the order is touched.
func (p *tab) shorten() {
	p.t.Helper()
	paused := chromedp.Events(p.ctx, fetch.RequestPaused)
	tabCall(p, fetch.Enable, fetch.EnableParams{Patterns: []*fetch.RequestPattern{{URLPattern: "*/v1/videos"}}})
	go func() {
		for e, err := range paused {
			if err != nil {
				return // the tab has closed
			}
			if _, err := chromedp.Call(p.ctx, fetch.ContinueRequest, fetch.ContinueRequestParams{RequestID: e.RequestID, PostData: shortened(e.Request)}); err != nil {
				return
			}
		}
	}()
}

// shortened is the body of an order; nil where it stays as it is.
func shortened(r *network.Request) []byte {
	var body []byte
	for _, part := range r.PostDataEntries {
		body = append(body, part.Bytes...)
	}
	if !bytes.Contains(body, []byte(`"duration":6`)) {
		return nil
	}
	return bytes.Replace(body, []byte(`"duration":6`), []byte(`"duration":2`), 1)
}
