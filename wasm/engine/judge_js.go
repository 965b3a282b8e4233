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
	image := &recipe.Image{W: body.Width, H: body.Height, RGBA: r.pixelBytes()}
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
	w.reportArrivals(r)
	return w.session.engine.Judge(r.ctx, image)
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
