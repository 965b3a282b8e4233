package main

import (
	"context"
	"syscall/js"

	"undertone/engine"
	"undertone/engine/fault"
	"undertone/engine/gpu"
	"undertone/engine/op"
	"undertone/engine/weights"
	"undertone/wasm/protocol"
)

// session is one loaded model on one device.
type session struct {
	device string // "webgpu" or "cpu"; "auto" until one of the two is chosen
	choice *protocol.ChoiceBody
	tune   *bool // as in protocol.LoadBody
	tuning *tuning
	store  *store
	bundle *weights.Bundle
	// The model's bytes come from one of the two: what a model.json lists, or published files.
	site    *site
	given   *given
	beside  *given                        // an adapter's file, beside what a model.json lists
	reading *reading                      // that of either
	kept    func() (stored, reused int64) // likewise: bytes that the store has, and had before
	older   *fault.Error                  // why an older version of the model was taken
	be      op.Backend
	engine  *engine.Engine
	losses  int // of the device, so far
}

// load opens the device, so that its absence is known before anything large is
// fetched, then downloads the model and puts it on the device. blobs are the Blobs among
// published files.
func (m *session) load(ctx context.Context, b protocol.LoadBody, blobs []js.Value, report func(protocol.ProgressBody)) error {
	m.close()
	m.device, m.choice, m.tune = b.Device, nil, b.Tune
	report(protocol.ProgressBody{Stage: protocol.StageDevice})
	be, err := open(ctx, m.device, 0)
	if err != nil {
		return err
	}
	m.be = be
	m.store, m.older, m.site, m.given, m.beside = nil, nil, nil, nil, nil
	if b.Store || b.Kept() {
		m.store = openStore()
	}
	if b.Published() {
		err = m.take(ctx, b, blobs, report)
	} else {
		err = m.download(ctx, b, report)
	}
	if err == nil && b.Adapter != nil {
		m.bundle, m.beside, err = adapt(ctx, m.bundle, *b.Adapter, blobs, func(string, arrival) {})
	}
	if err != nil {
		return err
	}
	if err = m.choose(ctx); err == nil {
		err = m.prepare(ctx, report)
	}
	if fault.Is(err, fault.DeviceLost) {
		err = m.reopen(ctx, report)
	}
	return err
}

// prepare puts the model on the device. What the store has lost is downloaded again.
func (m *session) prepare(ctx context.Context, report func(protocol.ProgressBody)) (err error) {
	m.reading.report = func(file string, a arrival) {
		report(protocol.ProgressBody{Stage: protocol.StageDownload, File: file, Done: a.done, Total: a.total,
			Stored: a.stored, Retry: retry(a.try), Wait: a.wait})
	}
	m.recallTuning(ctx)
	m.engine, err = engine.Load(ctx, m.be, m.bundle, engine.LoadOptions{SourceVerifies: true, Progress: func(p engine.Progress) {
		report(protocol.ProgressBody{Stage: protocol.StagePrepare, File: p.Role, Done: p.Done, Total: p.Total})
	}})
	return err
}

// releaseBuffers gives up what only a request needs.
func (m *session) releaseBuffers() {
	if m.reading != nil {
		m.reading.window.clear()
	}
	if m.given != nil {
		m.given.hangUp()
	}
	if m.beside != nil {
		m.beside.window.clear()
		m.beside.hangUp()
	}
}

// close frees the device; the files stay.
func (m *session) close() {
	switch {
	case m.engine != nil:
		m.engine.Close() // and with it the backend, which the engine owns
	case m.be != nil:
		m.be.Close()
	}
	m.engine, m.be = nil, nil
}

// open makes the backend of that name, of which "auto" is WebGPU: see choose. For gentle
// see gpu.Options.
func open(ctx context.Context, device string, gentle int) (op.Backend, error) {
	if device == "cpu" {
		return openCPU(), nil
	}
	d, err := gpu.Open(ctx, gpu.Options{Gentle: gentle})
	if err != nil {
		return nil, err // not a nil *gpu.Device in an interface
	}
	return d, nil
}
