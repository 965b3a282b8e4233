package engine

import (
	"math"
	"slices"
	"testing"

	"undertone/engine/cpu"
	"undertone/engine/op"
	"undertone/engine/sample"
)

// The steps of samplers that remember, as a machine records them, on a small field of
// velocities: those of package sample, in float32, with the data behind each for previews,
// and the same again for a second picture.
func TestStepsThatRemember(t *testing.T) {
	for name, s := range map[string]sample.Schedule{"ab2": {Kind: "edm", Sampler: "ab2"}, "unipc": {Kind: "flow", Shift: 3, List: "unipc", Sampler: "unipc"}} {
		t.Run(name, func(t *testing.T) {
			const steps = 6
			be := cpu.New(cpu.Options{})
			defer be.Close()
			p := &pipeline{be: be, steps: steps, schedule: s}
			tensor := func(name string, rows, cols int) *op.Tensor {
				x, err := p.new(name, op.F32, rows, cols)
				if err != nil {
					t.Fatal(err)
				}
				return x
			}
			p.latent, p.velocity, p.dt = tensor("latent", 3, 2), tensor("velocity", 3, 2), tensor("dt", 1, 1)
			var err error
			if p.history, err = p.newHistory(); err != nil {
				t.Fatal(err)
			}
			l := op.NewList("step")
			p.advance(l)
			run, err := be.Compile(t.Context(), l)
			if err != nil {
				t.Fatal(err)
			}
			sigmas := s.Sigmas(steps, 0)
			must := func(err error) {
				if err != nil {
					t.Fatal(err)
				}
			}
			read := func(x *op.Tensor) []float32 {
				out, err := be.Read(t.Context(), x)
				must(err)
				return out
			}
			for range 2 {
				x := []float64{1, -2, 0.5, 3, -0.25, 0.125}
				var h sample.History
				must(p.history.begin(p, sigmas))
				must(be.Write(p.latent, narrow(x)))
				for k, m := range s.Multisteps(sigmas) {
					at := read(p.latent)
					velocity, data := make([]float64, len(x)), make([]float64, len(x))
					for i := range x {
						velocity[i] = 0.5*x[i] + 0.25*sigmas[k]
						data[i] = x[i] - sigmas[k]*velocity[i]
						if d := math.Abs(float64(at[i]) - x[i]); d > 1e-5*(1+math.Abs(x[i])) {
							t.Fatalf("before step %d number %d is %g, want %g", k+1, i, at[i], x[i])
						}
					}
					must(be.Write(p.velocity, narrow(velocity)))
					must(be.Write(p.dt, []float32{float32(-sigmas[k])}))
					var copies []op.Copy
					for i, f := range p.history.factors {
						copies = append(copies, op.Copy{Dst: f, Src: p.history.lists[i].Slice(k, k+1)})
					}
					must(run.Run(t.Context(), copies...))
					h.Step(m, x, data)
					after, v := read(p.latent), read(p.velocity)
					for i := range data {
						if d := math.Abs(float64(after[i]-v[i]) - data[i]); d > 1e-5*(1+math.Abs(data[i])) {
							t.Errorf("behind step %d the data of number %d is %g, want %g", k+1, i, after[i]-v[i], data[i])
						}
					}
				}
				if got := read(p.latent); !slices.EqualFunc(got, x, func(a float32, b float64) bool { return math.Abs(float64(a)-b) < 1e-5*(1+math.Abs(b)) }) {
					t.Errorf("at the end %v, want %v", got, x)
				}
			}
		})
	}
}

func narrow(x []float64) (out []float32) {
	for _, v := range x {
		out = append(out, float32(v))
	}
	return out
}
