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
	"undertone/engine/optest"
)

// Drawn in any number of strips a picture has the same bytes: every strip sees as
// many rows above and below as its convolutions look at, whatever the last stage is.
func TestStripsDoNotShow(t *testing.T) {
	const h, w = 12, 6
	ctx, be := context.Background(), cpu.New(cpu.Options{})
	for _, stages := range [][]Stage{{{6, 0}}, {{6, 1}}, {{6, 2}}, {{6, 1}, {5, 0}}, {{4, 0}, {6, 1}}, {{4, 1}, {6, 2}}, {{4, 1}, {4, 1}, {4, 3}}} {
		rng := rand.New(rand.NewPCG(uint64(len(stages)), 9))
		upload := func(name string, use op.Use, rows, cols int, values []float32) *op.Tensor {
			x, err := be.Upload(ctx, op.WeightSpec{Name: name, Use: use, DType: op.F32, Rows: rows, Cols: cols, Data: bytes.NewReader(optest.Encode(op.F32, values))})
			if err != nil {
				t.Fatal(err)
			}
			return x
		}
		normal := func(n int, sigma float64) []float32 {
			v := make([]float32, n)
			for i := range v {
				v[i] = float32(rng.NormFloat64() * sigma)
			}
			return v
		}
		c := Config{Kind: "tiny", LatentChannels: 3, Downscale: 1 << (len(stages) - 1), Stages: stages, ScalingFactor: 1,
			Preview: Preview{Weight: [][]float64{make([]float64, 3), make([]float64, 3), make([]float64, 3)}, Bias: make([]float64, 3)}}
		m, err := LoadTiny(c, invented{upload, func(cols, n int) []float32 { return normal(n, math.Sqrt(2/float64(cols))) }})
		if err != nil {
			t.Fatal(err)
		}
		draw := func(strips int) []uint32 {
			pixels, l := h*w*m.Downscale*m.Downscale, op.NewList("draw")
			z, err := be.New("z", op.F32, h*w, 3)
			if err == nil {
				rng = rand.New(rand.NewPCG(5, 6))
				err = be.Write(z, normal(h*w*3, 1))
			}
			if err != nil {
				t.Fatal(err)
			}
			out, err := be.New("pixels", op.U32, 1, pixels)
			if err != nil {
				t.Fatal(err)
			}
			m.Draw(l, z, h, w, strips, out)
			p, err := be.Compile(ctx, l)
			if err == nil {
				err = p.Run(ctx)
			}
			if err != nil {
				t.Fatal(err)
			}
			got, err := be.ReadU32(ctx, out)
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		whole := draw(1)
		for _, strips := range []int{2, 3, 5, 6} {
			if !slices.Equal(draw(strips), whole) {
				t.Errorf("stages %v: %d strips show", stages, strips)
			}
		}
	}
}

// invented are random weights, uploaded.
type invented struct {
	upload func(name string, use op.Use, rows, cols int, values []float32) *op.Tensor
	values func(cols, n int) []float32
}

func (w invented) Get(name string, use op.Use, rows, cols int) *op.Tensor {
	return w.upload(name, use, rows, cols, w.values(cols, rows*cols))
}

func (w invented) Constant(name string, use op.Use, rows, cols int, values []float32) *op.Tensor {
	return w.upload(name, use, rows, cols, values)
}
