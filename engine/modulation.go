package engine

import (
	"context"

	"undertone/engine/op"
)

// maxModulation bounds the modulation of all steps in bytes: a WebGPU device
// without special limits binds no more at once. Longer runs are computed in
// chunks of steps, each before its first step.
var maxModulation = op.PortableBinding // a variable for the test of chunks

// modulation computes shift, scale and gate of every block for many steps at
// once, before they run: they depend on times, pooled text and directions only.
type modulation struct {
	be                    op.Backend
	total, rows, branches int        // rows of the whole picture, of one chunk; rows of one step
	yhat, mods            *op.Tensor // [rows, (Blocks+1)·Vector], [rows, Modulation]
	run                   op.Program
}

// modulate finds or makes the modulation program for a number of rows. Only the
// latest is kept: it changes with the number of steps.
func (e *Engine) modulate(ctx context.Context, total, branches int) (*modulation, error) {
	if m := e.modulation; m != nil {
		if m.total == total && m.branches == branches {
			return m, nil
		}
		m.free()
		e.modulation = nil
	}
	t, shape := e.transformer, e.transformer.Shape()
	fit := maxModulation / (4 * shape.Modulation) / branches * branches
	m := &modulation{be: e.be, total: total, branches: branches, rows: min(total, max(fit, branches))}
	var err error
	if m.yhat, err = e.be.New("yhat", op.F32, m.rows, (len(shape.Blocks)+1)*shape.Vector); err != nil {
		return nil, err
	}
	if m.mods, err = e.be.New("modulation", op.F32, m.rows, shape.Modulation); err != nil {
		m.free()
		return nil, err
	}
	l := op.NewList("modulation")
	t.Modulate(l, m.yhat, m.mods)
	if m.run, err = e.be.Compile(ctx, l); err != nil {
		m.free()
		return nil, err
	}
	e.modulation = m
	return m, nil
}

// fill computes the chunk that begins with step k, if one does; yhat holds all
// rows of the picture.
func (m *modulation) fill(ctx context.Context, yhat []float32, k int) (bool, error) {
	first := k * m.branches
	if first%m.rows != 0 {
		return false, nil
	}
	chunk := make([]float32, m.yhat.Rows*m.yhat.Cols)
	copy(chunk, yhat[first*m.yhat.Cols:])
	if err := m.be.Write(m.yhat, chunk); err != nil {
		return false, err
	}
	return true, m.run.Run(ctx)
}

// row is the modulation of step k in one branch.
func (m *modulation) row(k, branch int) *op.Tensor {
	r := (k*m.branches + branch) % m.rows
	return m.mods.Slice(r, r+1)
}

func (m *modulation) free() {
	if m.run != nil {
		m.run.Close()
	}
	m.be.Free(m.yhat, m.mods)
}
