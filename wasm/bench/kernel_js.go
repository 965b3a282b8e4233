package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"syscall/js"
	"time"

	"undertone/engine/gpu"
	"undertone/engine/op"
)

// row asks for one measurement of one operation.
type row struct {
	Op      string
	DType   string
	Variant string // "" or "usual": what the device takes of itself

	M, N, K         int     // MatMul; M × N of LayerNorm and RMSNorm
	Rows, Heads, D  int     // Attention, QKNormRoPE: tokens, heads, size of a head
	H, W, Cin, Cout int     // Conv3x3, GroupNorm (Cin channels)
	Rounds          int     // measurements
	WarmMs          float64 // before them
}

// measured is what came of it.
type measured struct {
	Ms        []float64 `json:"ms"`        // of each round, by timestamps where they exist
	WallMs    []float64 `json:"wallMs"`    // of each round, by the clock, many runs in flight
	Clock     string    `json:"clock"`     // "timestamps" or "wall"
	FLOPs     float64   `json:"flops"`     // of one run
	Bytes     float64   `json:"bytes"`     // read and written at least
	MaxErr    float64   `json:"maxErr"`    // against the CPU, in root mean squares of the CPU's
	Tolerance float64   `json:"tolerance"` // the same, as a share of what the operation may be off
	CompileMs float64   `json:"compileMs"`
	Kernels   []string  `json:"kernels"`
	Groups    [][3]int  `json:"groups"`
}

// held is a row that is ready to run.
type held struct {
	trial   *trial
	program *gpu.Program
}

// prepare brings a row's operation onto the device, runs it once and compares.
func (b *bench) prepare(ctx context.Context, r row) (h *held, out *measured, err error) {
	if b.device == nil {
		return nil, nil, fmt.Errorf("no device is open")
	}
	d := b.device
	d.Prefer(r.Variant)
	defer d.Prefer("")
	h = &held{trial: &trial{row: r, be: d}}
	defer func() {
		if err != nil {
			h.free(d)
		}
	}()
	if err := h.trial.make(ctx); err != nil {
		return nil, nil, err
	}
	begin := time.Now()
	compiled, err := d.Compile(ctx, h.trial.list)
	if err != nil {
		return nil, nil, err
	}
	h.program = compiled.(*gpu.Program)
	out = &measured{CompileMs: ms(time.Since(begin)), Bytes: h.trial.bytes, Clock: "wall"}
	for _, n := range h.trial.list.Nodes {
		out.FLOPs += op.FLOPs(n)
	}
	if _, err := several(ctx, d, h.program, 1); err != nil {
		return nil, nil, err
	}
	out.MaxErr, out.Tolerance, err = h.trial.check(ctx)
	return h, out, err
}

func (h *held) free(d *gpu.Device) {
	if h.program != nil {
		h.program.Close()
	}
	d.Free(h.trial.made...)
}

// kernel measures a row.
func (b *bench) kernel(ctx context.Context, arg js.Value) (any, error) {
	var r row
	if err := decode(arg, &r); err != nil {
		return nil, err
	}
	h, out, err := b.prepare(ctx, r)
	if err != nil {
		return nil, err
	}
	defer h.free(b.device)
	return out, out.time(ctx, b.device, h.program, max(r.Rounds, 1), r.WarmMs)
}

// hold prepares a row that is measured beside others, by runs; what was held before is
// freed.
func (b *bench) hold(ctx context.Context, arg js.Value) (any, error) {
	var r row
	if err := decode(arg, &r); err != nil {
		return nil, err
	}
	b.release()
	h, out, err := b.prepare(ctx, r)
	if err != nil {
		return nil, err
	}
	b.held = h
	return out, nil
}

func (b *bench) release() {
	if b.held != nil {
		b.held.free(b.device)
		b.held = nil
	}
}

// runs runs what is held as often as it is told and waits: {runs}.
func (b *bench) runs(ctx context.Context, arg js.Value) (any, error) {
	var o struct{ Runs int }
	if err := decode(arg, &o); err != nil {
		return nil, err
	}
	if b.held == nil {
		return nil, fmt.Errorf("nothing is held")
	}
	took, err := several(ctx, b.device, b.held.program, o.Runs)
	return map[string]any{"wallMs": took}, err
}

// several runs a program as often as it is told and waits; it tells the milliseconds.
func several(ctx context.Context, d *gpu.Device, p *gpu.Program, runs int) (float64, error) {
	begin := time.Now()
	for range runs {
		if err := p.Run(ctx); err != nil {
			return 0, err
		}
	}
	err := d.Sync(ctx)
	return ms(time.Since(begin)), err
}

// time warms the GPU up and measures. Runs in flight together show what a program gets
// that does not wait; timestamps show the kernel alone.
func (m *measured) time(ctx context.Context, d *gpu.Device, p *gpu.Program, rounds int, warm float64) error {
	runs, spent, took := 1, 0.0, 0.0
	for spent == 0 || spent < warm {
		var err error
		if took, err = several(ctx, d, p, runs); err != nil {
			return err
		}
		spent += took
		if took < warm/4 && runs < 4096 {
			runs *= 2
		}
	}
	// As many runs in a round as take 10 ms, so that the wait at its end counts little.
	runs = min(max(1, int(math.Ceil(10/(took/float64(runs))))), 1000)
	stamps := slices.Contains(d.Info().Features, "timestamp-query")
	for range rounds {
		took, err := several(ctx, d, p, runs)
		if err != nil {
			return err
		}
		m.WallMs = append(m.WallMs, took/float64(runs))
		if !stamps {
			continue
		}
		timings, err := p.Profile(ctx)
		if err != nil {
			return err
		}
		sum := time.Duration(0)
		m.Kernels, m.Groups = nil, nil
		for _, t := range timings {
			sum += t.Time
			m.Kernels, m.Groups = append(m.Kernels, t.Kernel), append(m.Groups, t.Groups)
		}
		m.Ms, m.Clock = append(m.Ms, ms(sum)), "timestamps"
	}
	if !stamps {
		m.Ms = m.WallMs
	}
	return nil
}
