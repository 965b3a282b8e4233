package worker

import (
	"context"
	"time"

	"undertone/engine"
	"undertone/engine/cpu"
	"undertone/engine/fault"
	"undertone/engine/gpu"
	"undertone/engine/op"
	"undertone/engine/weights"
	"undertone/wasm/protocol"
)

// machine is one loaded model on one device.
type machine struct {
	device string
	store  *store
	site   *site
	bundle *weights.Bundle
	older  *fault.Error // why an older version of the model was taken
	be     op.Backend
	engine *engine.Engine
}

// load opens the device, so that its absence is known before anything large is
// fetched, then downloads the model and puts it on the device.
func (m *machine) load(ctx context.Context, b protocol.LoadBody, report func(protocol.ProgressBody)) error {
	m.close()
	m.device = b.Device
	report(protocol.ProgressBody{Stage: protocol.StageDevice})
	be, err := open(ctx, m.device)
	if err != nil {
		return err
	}
	m.be = be
	if err := m.download(ctx, b, report); err != nil {
		return err
	}
	return m.prepare(ctx, report)
}

// prepare puts the model on the device.
func (m *machine) prepare(ctx context.Context, report func(protocol.ProgressBody)) (err error) {
	m.engine, err = engine.Load(ctx, m.be, m.bundle, engine.LoadOptions{SourceVerifies: true, Progress: func(p engine.Progress) {
		report(protocol.ProgressBody{Stage: protocol.StagePrepare, File: p.Role, Done: p.Done, Total: p.Total})
	}})
	return err
}

// ready makes sure that the device is alive. One that was lost is opened again
// and filled from the bytes that were kept.
func (m *machine) ready(ctx context.Context) (reopened bool, err error) {
	if m.engine != nil && !lost(m.be) {
		return false, nil
	}
	m.close()
	if m.be, err = open(ctx, m.device); err != nil {
		return false, err
	}
	return true, m.prepare(ctx, func(protocol.ProgressBody) {})
}

// close frees the device; the files stay.
func (m *machine) close() {
	switch {
	case m.engine != nil:
		m.engine.Close() // and with it the backend, which the engine owns
	case m.be != nil:
		m.be.Close()
	}
	m.engine, m.be = nil, nil
}

// open makes the backend of that name. The CPU is only ever chosen by name.
func open(ctx context.Context, device string) (op.Backend, error) {
	if device == "cpu" {
		// Go shares its thread with the browser's events: an abort is only seen
		// while nothing is computed.
		return cpu.New(cpu.Options{Yield: func() { time.Sleep(time.Millisecond) }}), nil
	}
	d, err := gpu.Open(ctx, gpu.Options{})
	if err != nil {
		return nil, err // not a nil *gpu.Device in an interface
	}
	return d, nil
}

func lost(be op.Backend) bool {
	d, ok := be.(*gpu.Device)
	if !ok {
		return false
	}
	select {
	case <-d.Lost():
		return true
	default:
		return false
	}
}
