package main

import (
	"syscall/js"

	"undertone/engine/fault"
	"undertone/engine/recipe"
	"undertone/wasm/protocol"
)

// judge says what a picture shows. If the GPU is lost on the way, it is asked again on a
// new device, once.
func (w *worker) judge(r request) error {
	var body protocol.JudgeBody
	if err := decode(r.body, &body); err != nil {
		return err
	}
	pixels := js.Global().Get("Uint8Array").New(r.pixels)
	image := &recipe.Image{W: body.Width, H: body.Height, RGBA: make([]byte, pixels.Length())}
	js.CopyBytesToGo(image.RGBA, pixels)
	judged, err := w.see(r, image)
	if fault.Is(err, fault.DeviceLost) && r.ctx.Err() == nil {
		judged, err = w.see(r, image)
	}
	if err != nil {
		return err
	}
	post(protocol.Judged, r.id, judged, js.Undefined())
	return nil
}

func (w *worker) see(r request, image *recipe.Image) (recipe.Judgement, error) {
	reopened, err := w.session.ready(r.ctx)
	if err != nil {
		return nil, err
	}
	if reopened {
		post(protocol.Loaded, r.id, w.session.loaded(), js.Undefined())
	}
	w.session.reading.report = func(file string, a arrival) {
		post(protocol.Progress, r.id, protocol.ProgressBody{Stage: protocol.StageDownload, File: file, Done: a.done, Total: a.total,
			Stored: a.stored, Retry: retry(a.try), Wait: a.wait}, js.Undefined())
	}
	return w.session.engine.Judge(r.ctx, image)
}
