package gpu

import (
	"slices"
	"testing"

	"undertone/engine/dit"
	"undertone/engine/op"
	"undertone/engine/text"
	"undertone/engine/vae"
)

// Of a launch that is cut, every workgroup runs once, and no part has more arithmetic than
// the limit, unless it has one row of workgroups alone.
func TestCut(t *testing.T) {
	x, w := op.NewStorage("x", op.Fixed, op.F32, 4608, 3072), op.NewStorage("w", op.Weight, op.F32, 12288, 3072)
	software := PortableFloor
	software.CPU = true
	for name, record := range map[string]func(l *op.List){
		"MatMul":          func(l *op.List) { l.MatMul(x, w.Slice(0, 5000), op.Epilogue{}) },
		"sharded MatMul":  func(l *op.List) { l.MatMul(x, w, op.Epilogue{}) },
		"MatMul of a row": func(l *op.List) { l.MatMul(x.Slice(0, 1), w, op.Epilogue{}) },
		"Attention":       func(l *op.List) { l.Attention(op.NewStorage("y", op.Fixed, op.F32, 4608, 4*3072), 24, 128, false) },
		"Attention of views": func(l *op.List) {
			q := op.NewStorage("q", op.Fixed, op.F32, 16384, 512)
			l.Attend(op.AttentionOp{Q: q, K: q, V: q, Heads: 1, HeadDim: 512})
		},
		"Conv3x3": func(l *op.List) {
			l.Conv3x3(op.NewStorage("x", op.Fixed, op.F32, 256*256, 512), 256, 256, op.NewStorage("w", op.Weight, op.F32, 512, 9*512), nil, nil, op.None, nil)
		},
		"Add": func(l *op.List) { l.Add(x, x, nil) },
	} {
		for _, c := range []Caps{PortableFloor, software} {
			l := op.NewList(name)
			record(l)
			steps, err := lower(l, c)
			if err != nil {
				t.Fatal(err)
			}
			limit := launchSubmits * c.submitLimit()
			parts := cut(steps, limit)
			t.Logf("%s, %t: %d launches, %d", name, c.CPU, len(steps), len(parts))
			at := 0
			for _, s := range steps {
				next, flops := 0, 0.0
				for ; at < len(parts) && next >= 0; at++ {
					p := parts[at]
					flops += p.flops
					if s.Along == whole {
						at++
						break
					}
					axis, last := s.Along-alongX, len(s.Params)-1
					if int(p.Params[last]) != next || !slices.Equal(p.Params[:last], s.Params[:last]) || p.Kernel.key() != s.Kernel.key() {
						t.Fatalf("%s: a part begins with workgroup %d, want %d; %v of %v", name, p.Params[last], next, p.Params, s.Params)
					}
					if p.flops > limit && p.Groups[axis] > 1 {
						t.Errorf("%s: %d rows of workgroups have %g of arithmetic, the limit is %g", name, p.Groups[axis], p.flops, limit)
					}
					if next += p.Groups[axis]; next == s.Groups[axis] {
						at++
						break
					}
				}
				if s.Along != whole && next != s.Groups[s.Along-alongX] || flops < 0.999*s.flops || flops > 1.001*s.flops {
					t.Errorf("%s: %d workgroups of %v with %g of %g", name, next, s.Groups, flops, s.flops)
				}
			}
			if at != len(parts) || len(parts) == len(steps) != (name == "MatMul of a row" || name == "Add") {
				t.Errorf("%s: %d launches in %d parts", name, len(steps), len(parts))
			}
		}
	}
}

// described gives weights without memory, matrices of one type where their width allows it.
type described struct {
	dt    op.DType
	specs map[*op.Storage]op.WeightSpec
}

func (described) Has(string) bool { return true }

func (d described) Get(name string, use op.Use, rows, cols int) *op.Tensor {
	spec := op.WeightSpec{Name: name, Use: use, DType: op.F32, Rows: rows, Cols: cols}
	if block, _ := d.dt.Block(); use == op.UseMatrix && cols%block == 0 {
		spec.DType = d.dt
	}
	if use == op.UseMiddle {
		spec.Use = op.UseVector
	}
	t := op.NewStorage(name, op.Weight, spec.DType, rows, cols)
	d.specs[t.Storage] = spec
	return t
}

func (d described) Constant(name string, use op.Use, rows, cols int, values []float32) *op.Tensor {
	return d.Get(name, use, rows, cols)
}

// The lists of published models at a megapixel run on the portable floor: no buffer that is
// bound is larger than the device allows, weights and temporaries alike, and no launch has
// more arithmetic than it can have without being one row of workgroups.
func TestPublishedModelsFitTheFloor(t *testing.T) {
	fixed := func(name string, rows, cols int) *op.Tensor { return op.NewStorage(name, op.Fixed, op.F32, rows, cols) }
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	const limit = op.PortableBinding
	for _, dt := range []op.DType{op.F16, op.Q8_0, op.Q4_0} {
		w := described{dt, map[*op.Storage]op.WeightSpec{}}
		lists := map[string]*op.List{}
		flux, err := dit.LoadFlux(dit.FluxConfig{InChannels: 64, VecDim: 768, ContextDim: 4096, Hidden: 3072, MLPRatio: 4, Heads: 24, Depth: 2, DepthSingle: 2,
			AxesDim: []int{16, 56, 56}, Theta: 10000, QKVBias: true, Activation: "gelu_tanh"}, w)
		must(err)
		l := op.NewList("FLUX")
		flux.Velocity(l, dit.Pass{Context: fixed("context", 512, 3072), Latent: fixed("latent", 4096, 64), Mod: fixed("mod", 1, flux.Shape().Modulation), Positions: fixed("rope", 4608, 128), Limit: limit})
		lists["FLUX"] = l
		sd3, err := dit.LoadSD3(dit.SD3Config{InChannels: 16, Layers: 2, Heads: 38, HeadDim: 64, ContextDim: 4096, PooledDim: 2048, Side: 192, Sample: 128, Dual: []int{0}, QKNorm: "rms_norm"}, w)
		must(err)
		l = op.NewList("SD3")
		sd3.Velocity(l, dit.Pass{Context: fixed("context", 589, 2432), Latent: fixed("latent", 4096, 64), Mod: fixed("mod", 1, sd3.Shape().Modulation), Rows: 64, Cols: 64, Limit: limit})
		lists["SD3"] = l
		t5, err := text.LoadT5(text.T5Config{VocabSize: 32128, Width: 4096, HeadDim: 64, MLP: 10240, NumLayers: 2, NumHeads: 64, MaxLength: 512, EOS: 1}, w)
		must(err)
		l = op.NewList("T5")
		t5.Encode(l, text.Pass{IDs: op.NewStorage("ids", op.Fixed, op.U32, 1, 512), Mask: fixed("mask", 1, 512), States: fixed("states", 512, 4096)})
		lists["T5"] = l
		row := make([]float64, 16)
		kl, err := vae.LoadKL(vae.KLConfig{LatentChannels: 16, Channels: []int{128, 256, 512, 512}, Layers: 2, Groups: 32, ScalingFactor: 1, Preview: vae.Preview{Weight: [][]float64{row, row, row}, Bias: make([]float64, 3)}}, w)
		must(err)
		l = op.NewList("AutoencoderKL")
		kl.Draw(l, fixed("z", 128*128, 16), 128, 128, kl.Strips(128, 128, limit), op.NewStorage("pixels", op.Fixed, op.U32, 1, 1024*1024))
		lists["AutoencoderKL"] = l
		for name, l := range lists {
			floorHolds(t, name+" "+dt.String(), l, w.specs)
		}
	}
}

// floorHolds checks what a list binds and launches on the portable floor.
func floorHolds(t *testing.T, name string, l *op.List, weights map[*op.Storage]op.WeightSpec) {
	t.Helper()
	steps, err := lower(l, PortableFloor)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	limit := launchSubmits * PortableFloor.submitLimit()
	steps = cut(steps, limit)
	arena := planArena(steps)
	largest, most := slices.Max(arena.sizes), 0.0
	for _, s := range steps {
		if s.Along == whole || s.Groups[s.Along-alongX] > 1 {
			most = max(most, s.flops)
		}
		for _, b := range s.Bind {
			if b.Storage.Class == op.Weight {
				largest = max(largest, weightParts(weights[b.Storage], PortableFloor)[b.Part].Bytes)
			} else {
				largest = max(largest, storageBytes(b.Storage))
			}
		}
	}
	t.Logf("%s: %d launches of at most %.1f GFLOP, %.1f MiB bound at most, %.0f MiB of temporaries", name, len(steps), most/1e9, float64(largest)/(1<<20), float64(arena.bytes())/(1<<20))
	if largest > op.PortableBinding {
		t.Errorf("%s: %d bytes are bound at once, %d may be", name, largest, op.PortableBinding)
	}
	if most > limit {
		t.Errorf("%s: a launch has %g of arithmetic, the limit is %g", name, most, limit)
	}
}
