package video

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"log/slog"

	"github.com/meta-ad-studio/troupe/actors/kinds/video/fetch"
)

// checkpoint is what an attempt leaves for the one after it: where the picture is that it fetched.
type checkpoint struct {
	Source *keptSource `json:"source,omitempty"`
}

// keptSource is a fetched picture in the artifact store.
type keptSource struct {
	ImageURL string `json:"image_url"`
	SHA256   string `json:"sha256"` // of what the server sent, in hex
	Token    int64  `json:"token"`  // of the artifact
	ETag     string `json:"etag"`   // of the artifact: its own SHA-256
}

// source gets the picture: from an earlier attempt, or from its address.
func (a *attempt) source(ctx context.Context) error {
	if a.payload.ImageURL == "" {
		return nil
	}
	a.stages.next("fetching the picture")
	if picture, err := a.kept(ctx); err != nil {
		a.Log(slog.LevelWarn, "the picture of an earlier attempt can't be used; it is fetched again: "+err.Error())
		a.Logger().Warn("the picture of an earlier attempt can't be used: it is fetched again", "error", err)
	} else if picture != nil {
		a.picture = picture
		return nil
	}
	data, err := a.Fetch.Get(ctx, a.payload.ImageURL, func(done, length int64) {
		if length > 0 {
			a.stages.tell(0.7*float64(done)/float64(length), "fetching the picture")
		}
	})
	if err != nil {
		return fmt.Errorf("imageUrl: %w", err)
	}
	if a.picture, err = a.decoded(ctx, data); err != nil {
		return fmt.Errorf("imageUrl: %w", err)
	}
	a.stages.tell(0.85, "keeping the picture")
	return a.keep(ctx, data)
}

// decoded decodes, one picture at a time for the whole node.
func (a *attempt) decoded(ctx context.Context, data []byte) (image.Image, error) {
	select {
	case a.decoding <- struct{}{}:
		defer func() { <-a.decoding }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	return fetch.Decode(data, 0)
}

// keep stores the picture, decoded and encoded anew: nothing of what a stranger sent is handed to browsers as it came.
func (a *attempt) keep(ctx context.Context, data []byte) error {
	var encoded bytes.Buffer
	if err := jpeg.Encode(&encoded, a.picture, &jpeg.Options{Quality: 92}); err != nil {
		return fmt.Errorf("encode the picture: %w", err)
	}
	stored, err := a.Artifact(ctx, sourceName, "image/jpeg", &encoded, maxPicture)
	if err != nil {
		return fmt.Errorf("store the picture: %w", err)
	}
	sum := sha256.Sum256(data)
	kept := &keptSource{ImageURL: a.payload.ImageURL, SHA256: hex.EncodeToString(sum[:]), Token: stored.Token, ETag: stored.ETag}
	if err := a.Checkpoint(ctx, checkpoint{Source: kept}); err != nil {
		return fmt.Errorf("remember the picture: %w", err)
	}
	return nil
}

// kept is the picture that an earlier attempt stored; nil if there is none.
func (a *attempt) kept(ctx context.Context) (image.Image, error) {
	var c checkpoint
	if found, err := a.Restore(&c); err != nil || !found || c.Source == nil || a.Artifacts == nil || c.Source.ImageURL != a.payload.ImageURL {
		return nil, err
	}
	file, err := a.Artifacts.Open(ctx, a.ID(), c.Source.Token, sourceName)
	if err != nil {
		return nil, fmt.Errorf("open it: %w", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxPicture+1))
	if err != nil {
		return nil, fmt.Errorf("read it: %w", err)
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != c.Source.ETag {
		return nil, fmt.Errorf("%d bytes of it are not what was stored", len(data))
	}
	return a.decoded(ctx, data)
}
