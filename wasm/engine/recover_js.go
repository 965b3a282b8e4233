package main

import (
	"context"
	"time"

	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/wasm/protocol"
)

// How long a GPU may take to come back, and how often it is asked for meanwhile. A
// browser starts a crashed GPU process again within two seconds; after a second
// crash it holds WebGPU back until the page is loaded anew.
const (
	comeback   = 6 * time.Second
	askAgain   = 250 * time.Millisecond
	mostGentle = 3 // halvings of what is submitted at once
)

// ready makes sure that the device is alive, for a request of this context. One that was
// lost is opened again.
func (m *session) ready(ctx context.Context) (reopened bool, err error) {
	m.reading.serving = ctx
	if m.beside != nil {
		m.beside.serving = ctx
	}
	if m.engine != nil && !lost(m.be) {
		return false, nil
	}
	return true, m.reopen(ctx, func(protocol.ProgressBody) {})
}

// reopen opens a device in place of the one that was lost and fills it from the
// store and from memory. Errors: fault.GPUGone when the browser gives none, Aborted,
// and what prepare says.
func (m *session) reopen(ctx context.Context, report func(protocol.ProgressBody)) error {
	m.close()
	m.losses++
	until := time.Now().Add(comeback)
	for {
		// A browser in trouble may not even answer.
		ask, cancel := context.WithTimeout(ctx, comeback)
		be, err := open(ask, m.device, min(m.losses, mostGentle))
		silent := ask.Err() != nil && ctx.Err() == nil
		cancel()
		if err == nil {
			m.be = be
			if err = m.prepare(ctx, report); err == nil {
				return nil
			}
			m.close()
		}
		switch code := fault.Of(err).Code; {
		case code == fault.NoAdapter, code == fault.DeviceRefused, code == fault.DeviceLost, silent:
		default:
			return err
		}
		if time.Now().After(until) {
			return fault.Wrap(err, fault.GPUGone, "the GPU was lost, and the browser does not give it back")
		}
		select {
		case <-time.After(askAgain):
		case <-ctx.Done():
			return fault.Wrap(context.Cause(ctx), fault.Aborted, "stopped while the GPU was started again")
		}
	}
}

func lost(be op.Backend) bool {
	select {
	case <-be.Lost():
		return true
	default:
		return false
	}
}
