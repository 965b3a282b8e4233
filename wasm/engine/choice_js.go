package main

import (
	"context"
	"time"

	"undertone/engine"
	"undertone/engine/cpu"
	"undertone/engine/cpu/simd"
	"undertone/engine/op"
	"undertone/engine/weights"
	"undertone/wasm/protocol"
)

// cpuRoom is how many bytes a picture may take at its peak, weights included, for the CPU
// device to be chosen: Go's garbage may come to as much again, and a program has 4 GiB.
const cpuRoom = 1 << 30

// choose takes the CPU in place of a software adapter of WebGPU where it is the faster of
// the two, if that was left to it. A GPU is never measured, nor what was asked for by
// name.
func (m *session) choose(ctx context.Context) error {
	if m.device != "auto" {
		return nil
	}
	m.device = "webgpu" // also where it is lost and opened again
	if !m.be.Info().Software || !fitsCPU(&m.bundle.Manifest) {
		return nil
	}
	onCPU := openCPU()
	took, err := measured(ctx, m.be, onCPU)
	if err != nil {
		return err
	}
	m.choice = &protocol.ChoiceBody{WebGPUMs: took[0], CPUMs: took[1]}
	if took[0] <= took[1] {
		m.choice.Reason = "Runs on this browser's software WebGPU, which is faster here than the CPU."
		return nil
	}
	m.choice.Reason = "Runs on the CPU, which is faster here than this browser's software WebGPU."
	m.be.Close()
	m.device, m.be = "cpu", onCPU
	return nil
}

// fitsCPU reports whether the CPU device has the memory for the picture that a model
// proposes. Weights are there as they are stored.
func fitsCPU(m *weights.Manifest) bool {
	d, err := engine.Describe(m)
	return err == nil && d.Memory <= cpuRoom
}

// measured is how many milliseconds machines take for the same arithmetic.
func measured(ctx context.Context, machines ...op.Backend) (ms []float64, err error) {
	for _, be := range machines {
		d, err := engine.Duration(ctx, be)
		if err != nil {
			return nil, err
		}
		ms = append(ms, float64(d.Microseconds())/1e3)
	}
	return ms, nil
}

// openCPU makes the CPU device. Go shares its thread with the browser's events: an abort
// is only seen while nothing is computed.
func openCPU() op.Backend {
	return cpu.New(cpu.Options{Yield: func() { time.Sleep(time.Millisecond) }, SIMD: simd.Load()})
}
