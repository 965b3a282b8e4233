package main

import (
	"encoding/binary"
	"math"
	"syscall/js"

	"undertone/engine"
	"undertone/engine/fault"
	"undertone/engine/recipe"
	"undertone/wasm/protocol"
)

// judge says what a picture shows.
func (w *worker) judge(r request) error {
	return w.look(r, func(e *engine.Engine, image *recipe.Image) error {
		judged, err := e.Judge(r.ctx, image)
		if err == nil {
			post(protocol.Judged, r.id, judged, js.Undefined())
		}
		return err
	})
}

// encode makes the latent of a picture.
func (w *worker) encode(r request) error {
	return w.look(r, func(e *engine.Engine, image *recipe.Image) error {
		latent, err := e.Encode(r.ctx, image)
		if err == nil {
			post(protocol.Encoded, r.id, nil, floats(latent))
		}
		return err
	})
}

// look has the engine look at the picture of a request. If the GPU is lost on the way, it is
// asked again on a new device, once.
func (w *worker) look(r request, with func(*engine.Engine, *recipe.Image) error) error {
	var body protocol.PictureBody
	if err := decode(r.body, &body); err != nil {
		return err
	}
	image := &recipe.Image{W: body.Width, H: body.Height, RGBA: r.pixelBytes()}
	err := w.see(r, image, with)
	if fault.Is(err, fault.DeviceLost) && r.ctx.Err() == nil {
		err = w.see(r, image, with)
	}
	return err
}

func (w *worker) see(r request, image *recipe.Image, with func(*engine.Engine, *recipe.Image) error) error {
	reopened, err := w.session.ready(r.ctx)
	if err != nil {
		return err
	}
	if reopened {
		post(protocol.Loaded, r.id, w.session.loaded(), js.Undefined())
	}
	w.reportArrivals(r)
	return with(w.session.engine, image)
}

// floats are float32 as a Uint8Array.
func floats(list []float32) js.Value {
	raw := make([]byte, 0, 4*len(list))
	for _, v := range list {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	return buffer(raw)
}

// reportArrivals has what a request makes the session fetch told as its progress.
func (w *worker) reportArrivals(r request) {
	w.session.reading.report = func(file string, a arrival) {
		post(protocol.Progress, r.id, protocol.ProgressBody{Stage: protocol.StageDownload, File: file, Done: a.done, Total: a.total,
			Stored: a.stored, Retry: retry(a.try), Wait: a.wait}, js.Undefined())
	}
}

// pixelBytes copies the pixels of a picture that came with a request.
func (r request) pixelBytes() []byte {
	pixels := js.Global().Get("Uint8Array").New(r.pixels)
	out := make([]byte, pixels.Length())
	js.CopyBytesToGo(out, pixels)
	return out
}
