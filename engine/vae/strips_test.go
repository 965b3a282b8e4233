package vae

import (
	"bytes"
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"undertone/engine/cpu"
	"undertone/engine/op"
	"undertone/engine/testing/ops"
)

// Drawn in any number of strips a picture has the same bytes: every strip sees as
// many rows above and below as its convolutions look at, whatever the last stage is.
func TestStripsDoNotShow(t *testing.T) {
	const h, w = 12, 6
	for _, stages := range [][]Stage{{{6, 0}}, {{6, 1}}, {{6, 2}}, {{6, 1}, {5, 0}}, {{4, 0}, {6, 1}}, {{4, 1}, {6, 2}}, {{4, 1}, {4, 1}, {4, 3}}} {
		r := newRig(t, uint64(len(stages)))
		c := Config{LatentChannels: 3, Downscale: 1 << (len(stages) - 1), Stages: stages, ScalingFactor: 1,
			Preview: Preview{Weight: [][]float64{make([]float64, 3), make([]float64, 3), make([]float64, 3)}, Bias: make([]float64, 3)}}
		m, err := LoadTiny(c, r.weights())
		if err != nil {
			t.Fatal(err)
		}
		whole := r.draw(m, h, w, 1)
		for _, strips := range []int{2, 3, 5, 6} {
			if !slices.Equal(r.draw(m, h, w, strips), whole) {
				t.Errorf("stages %v: %d strips show", stages, strips)
			}
		}
	}
}

// rig draws with random weights.
type rig struct {
	*testing.T
	be  *cpu.Machine
	rng *rand.Rand
}

func newRig(t *testing.T, seed uint64) *rig {
	return &rig{t, cpu.New(cpu.Options{}), rand.New(rand.NewPCG(seed, 9))}
}

func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

func (r *rig) normal(n int, sigma float64) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(r.rng.NormFloat64() * sigma)
	}
	return v
}

// draw draws a latent, always the same, in strips.
func (r *rig) draw(m interface {
	Shape() Shape
	Draw(l *op.List, z *op.Tensor, h, w, strips int, out *op.Tensor)
}, h, w, strips int) []uint32 {
	ctx, s, l := context.Background(), m.Shape(), op.NewList("draw")
	z, err := r.be.New("z", op.F32, h*w, s.Channels)
	r.must(err)
	r.rng = rand.New(rand.NewPCG(5, 6))
	r.must(r.be.Write(z, r.normal(h*w*s.Channels, 1)))
	out, err := r.be.New("pixels", op.U32, 1, h*w*s.Downscale*s.Downscale)
	r.must(err)
	m.Draw(l, z, h, w, strips, out)
	p, err := r.be.Compile(ctx, l)
	r.must(err)
	r.must(p.Run(ctx))
	got, err := r.be.ReadU32(ctx, out)
	r.must(err)
	return got
}

func (r *rig) weights() invented { return invented{r} }

// invented are random weights, uploaded.
type invented struct{ *rig }

func (w invented) Has(name string) bool { return true }

func (w invented) Get(name string, use op.Use, rows, cols int) *op.Tensor {
	return w.Constant(name, use, rows, cols, w.normal(rows*cols, math.Sqrt(2/float64(cols))))
}

func (w invented) Constant(name string, use op.Use, rows, cols int, values []float32) *op.Tensor {
	x, err := w.be.Upload(context.Background(), op.WeightSpec{Name: name, Use: use, DType: op.F32, Rows: rows, Cols: cols, Data: bytes.NewReader(ops.Encode(op.F32, values))})
	w.must(err)
	return x
}
