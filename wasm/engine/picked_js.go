package main

import (
	"context"
	"errors"
	"syscall/js"

	"undertone/engine/fault"
	"undertone/engine/weights"
	"undertone/wasm/promise"
)

// picked is a published file that a person has chosen, as a Blob. The browser reads it from
// where it lies; nothing of it is kept.
type picked struct {
	path string
	blob js.Value
}

// piece reads a piece. Errors: FilesGone where the browser cannot, Aborted.
func (p *picked) piece(ctx context.Context, i int, length int64) (js.Value, error) {
	at := int64(i) * weights.PieceSize
	buffer, err := promise.Await(ctx, p.blob.Call("slice", at, at+length).Call("arrayBuffer"))
	if err != nil {
		return js.Undefined(), p.unread(ctx, err)
	}
	bytes := js.Global().Get("Uint8Array").New(buffer)
	if n := bytes.Length(); int64(n) != length {
		return bytes, fault.New(fault.FilesGone, "%s: %d bytes were read at byte %d, %d were there when it was chosen", p.path, n, at, length)
	}
	return bytes, nil
}

func (p *picked) unread(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fault.Wrap(ctx.Err(), fault.Aborted, "stopped while %s was read", p.path)
	}
	why := "the browser does not say why"
	var thrown js.Error
	if errors.As(err, &thrown) {
		why = thrown.Value.Get("name").String()
	}
	return fault.New(fault.FilesGone, "%s cannot be read (%s): it was moved, deleted or changed since it was chosen", p.path, why)
}

func (p *picked) hangUp() {}
