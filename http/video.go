package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
)

// What the studio's door makes of a video.
const (
	videoKind  = "video.generate"
	videoQueue = "video"
)

// submitVideo is POST /v1/videos: the body is the payload.
func (h *Handler) submitVideo(w http.ResponseWriter, r *http.Request) error {
	body, err := readBody(w, r, maxBody)
	if err != nil {
		return err
	}
	var prompt, imageURL, provider string
	err = readObject(body, "", fields{
		"prompt": text(&prompt, maxBody), "imageUrl": text(&imageURL, maxBody), "provider": text(&provider, maxBody),
		"duration": func(raw json.RawMessage) error {
			var seconds float64
			if err := json.Unmarshal(raw, &seconds); err != nil {
				return errors.New("want a number of seconds")
			}
			return nil
		},
	})
	if err != nil {
		return err
	}
	if prompt == "" {
		return refuse("invalid", "prompt: is needed")
	}
	if err := h.cfg.ParseVideo(body); err != nil {
		return refuse("invalid", "%s", err)
	}
	o := order{Kind: videoKind, Queue: videoQueue}
	if err := payload(&o.Payload)(bytes.TrimSpace(body)); err != nil {
		return err
	}
	return h.place(w, r, o)
}
